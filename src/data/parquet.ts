/** Rows of a Parquet file, a row group in memory at a time. */
import {
  asyncBufferFromFile,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
} from "hyparquet";
import { compressors } from "hyparquet-compressors";
import type { JsonObject } from "./document.ts";
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

async function* rowGroups(
  path: string,
  { fields, exact }: RowOptions,
): AsyncGenerator<{ rows: JsonObject[]; bytes: number }> {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  const present = parquetSchema(metadata).children.map((child) => child.element.name);
  checkFields(path, present, fields);
  const columns = fields && [...fields];
  const { options, convert } = await rowReading(metadata, exact);
  let rowStart = 0;
  for (const [group, { num_rows }] of metadata.row_groups.entries()) {
    const rowEnd = rowStart + Number(num_rows);
    const rows = await parquetReadObjects({ ...options, file, columns, rowStart, rowEnd, compressors });
    yield { rows: rows.map(convert), bytes: Math.round((file.byteLength * (group + 1)) / metadata.row_groups.length) };
    rowStart = rowEnd;
  }
}

export async function* readParquet(file: string, options: RowOptions): AsyncGenerator<LocatedRow> {
  let number = 0;
  for await (const { rows, bytes } of readable(rowGroups(file, options), file, "Parquet")) {
    for (const row of rows) yield { row, place: `${file}: row ${++number}` };
    options.onBytes?.(bytes);
  }
}
