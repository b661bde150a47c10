/** Rows of a Parquet file, a row group in memory at a time. */
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import type { JsonObject } from "./document.ts";
import { checkFields, type LocatedRow, type RowOptions, readable, withPlainNumbers } from "./row_source.ts";

async function* rowGroups(
  path: string,
  fields?: readonly string[],
): AsyncGenerator<{ rows: JsonObject[]; bytes: number }> {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  const present = parquetSchema(metadata).children.map((child) => child.element.name);
  checkFields(path, present, fields);
  const columns = fields && [...fields];
  let rowStart = 0;
  for (const [group, { num_rows }] of metadata.row_groups.entries()) {
    const rowEnd = rowStart + Number(num_rows);
    const rows = await parquetReadObjects({ file, metadata, columns, rowStart, rowEnd, compressors });
    yield { rows, bytes: Math.round((file.byteLength * (group + 1)) / metadata.row_groups.length) };
    rowStart = rowEnd;
  }
}

export async function* readParquet(file: string, { fields, onBytes }: RowOptions): AsyncGenerator<LocatedRow> {
  let number = 0;
  for await (const { rows, bytes } of readable(rowGroups(file, fields), file, "Parquet")) {
    for (const row of rows) yield { row: withPlainNumbers(row) as JsonObject, place: `${file}: row ${++number}` };
    onBytes?.(bytes);
  }
}
