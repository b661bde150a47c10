/** Rows of a Parquet file: of one column a page in memory at a time, of several a row group. */
import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
} from "hyparquet";
import { compressors } from "hyparquet-compressors";
import type { Compression } from "./compression.ts";
import type { JsonObject } from "./document.ts";
import { openRandomAccess } from "./random_access.ts";
import { checkFields, type LocatedRow, type RowOptions, readable, withPlainNumbers } from "./row_source.ts";

/** How to read the columns, and what to make of a row. */
async function rowReading(metadata: FileMetaData, exact: boolean | undefined) {
  if (!exact) return { options: { metadata }, convert: (row: JsonObject) => withPlainNumbers(row) as JsonObject };
  // Loaded here: training reads texts and needs no library of types.
  const { columnTypes, storedMetadata, storedParsers } = await import("./parquet_types.ts");
  const { converterOf } = await import("./column_values.ts");
  const types = columnTypes(metadata, parquetSchema(metadata));
  const converters = new Map(Array.from(types, ([name, type]) => [name, converterOf(type)]));
  return {
    options: { metadata: storedMetadata(metadata), parsers: storedParsers, utf8: false, geoparquet: false },
    convert: (row: JsonObject) =>
      Object.fromEntries(Object.entries(row).map(([name, value]) => [name, converters.get(name)!(value)])),
  };
}

interface Rows {
  rows: Iterable<JsonObject>;
  /** Of the file that are read so far. */
  bytes: number;
}

async function* rowGroups(
  file: AsyncBuffer,
  metadata: FileMetaData,
  columns: string[],
  exact: boolean | undefined,
): AsyncGenerator<Rows> {
  const { options, convert } = await rowReading(metadata, exact);
  let rowStart = 0;
  for (const [group, { num_rows }] of metadata.row_groups.entries()) {
    const rowEnd = rowStart + Number(num_rows);
    const rows = await parquetReadObjects({ ...options, file, columns, rowStart, rowEnd, compressors });
    yield { rows: rows.map(convert), bytes: Math.round((file.byteLength * (group + 1)) / metadata.row_groups.length) };
    rowStart = rowEnd;
  }
}

/** Rows with nothing but the value at the end of `path`. */
async function* pages(file: AsyncBuffer, metadata: FileMetaData, path: readonly string[]): AsyncGenerator<Rows> {
  const { columnPages } = await import("./parquet_pages.ts");
  const [column, ...inner] = path;
  const row = (value: unknown): JsonObject => ({
    [column]: inner.reduceRight((object, name) => ({ [name]: object }), withPlainNumbers(value)),
  });
  for await (const { values, end } of columnPages(file, metadata, path)) yield { rows: values.map(row), bytes: end };
  yield { rows: [], bytes: file.byteLength };
}

async function* readRows(path: string, options: RowOptions): AsyncGenerator<Rows> {
  const { file, close } = await openRandomAccess(path);
  try {
    const metadata = await parquetMetadataAsync(file);
    const present = parquetSchema(metadata).children.map((child) => child.element.name);
    const columns = checkFields(path, present, options);
    const { columnPath } = await import("./parquet_pages.ts");
    const [field, ...others] = options.fields ?? [];
    const isOne = field !== undefined && others.length === 0 && !options.exact;
    const column = isOne ? columnPath(metadata, field) : undefined;
    yield* column ? pages(file, metadata, column) : rowGroups(file, metadata, columns, options.exact);
  } finally {
    await close();
  }
}

export async function* readParquet(
  file: string,
  _: Compression | null,
  options: RowOptions,
): AsyncGenerator<LocatedRow> {
  let number = 0;
  for await (const { rows, bytes } of readable(readRows(file, options), file, "Parquet")) {
    for (const row of rows) yield { row, place: `${file}: row ${++number}` };
    options.onBytes?.(bytes);
  }
}
