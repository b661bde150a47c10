/** One text column of a Parquet or Arrow file, read a row group or record batch at a time. */
import { open } from "node:fs/promises";
import { DataType, RecordBatchReader } from "apache-arrow";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { messageOf } from "../errors/user_error.ts";
import { DataError } from "./data_error.ts";
import type { OnBytes } from "./json_lines.ts";
import { cutDocument, type DocumentPart } from "./text_document.ts";

function missingColumn(file: string, field: string, columns: readonly string[]): DataError {
  return new DataError(`${file}: no field "${field}" (fields: ${columns.join(", ") || "none"})`);
}

export async function* readParquet(file: string, field: string, onBytes: OnBytes): AsyncGenerator<DocumentPart> {
  try {
    const buffer = await asyncBufferFromFile(file);
    const metadata = await parquetMetadataAsync(buffer);
    const columns = parquetSchema(metadata).children.map((child) => child.element.name);
    if (!columns.includes(field)) throw missingColumn(file, field, columns);
    let rowStart = 0;
    for (const [group, { num_rows }] of metadata.row_groups.entries()) {
      const rowEnd = rowStart + Number(num_rows);
      const rows = await parquetReadObjects({
        file: buffer,
        metadata,
        columns: [field],
        rowStart,
        rowEnd,
        compressors,
      });
      for (const row of rows) {
        const value: unknown = row[field];
        if (value === null || value === undefined) continue;
        if (typeof value !== "string") throw new DataError(`${file}: field "${field}" is not text`);
        yield* cutDocument(value);
      }
      rowStart = rowEnd;
      onBytes(Math.round((buffer.byteLength * (group + 1)) / metadata.row_groups.length));
    }
  } catch (error) {
    throw error instanceof DataError
      ? error
      : new DataError(`${file}: not a readable Parquet file: ${messageOf(error)}`);
  }
}

/** Arrow IPC, as a file or a stream (what Hugging Face `datasets` keeps in its cache). */
export async function* readArrow(file: string, field: string, onBytes: OnBytes): AsyncGenerator<DocumentPart> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const reader = await RecordBatchReader.from(handle);
    await reader.open();
    const fields = reader.schema?.fields;
    if (!fields) throw new Error("no schema");
    const index = fields.findIndex(({ name }) => name === field);
    if (index < 0)
      throw missingColumn(
        file,
        field,
        fields.map(({ name }) => name),
      );
    const { type } = fields[index];
    const valueType = DataType.isDictionary(type) ? type.dictionary : type;
    if (!DataType.isUtf8(valueType) && !DataType.isLargeUtf8(valueType) && !DataType.isUtf8View(valueType)) {
      throw new DataError(`${file}: field "${field}" is not text`);
    }
    let bytes = 0;
    for await (const batch of reader) {
      const column = batch.getChildAt(index);
      for (let row = 0; row < batch.numRows; row++) {
        const value = column?.get(row) as string | null | undefined;
        if (value) yield* cutDocument(value);
      }
      bytes += batch.data.byteLength;
      onBytes(Math.min(bytes, size));
    }
    onBytes(size);
  } catch (error) {
    throw error instanceof DataError ? error : new DataError(`${file}: not a readable Arrow file: ${messageOf(error)}`);
  } finally {
    await handle.close().catch(() => {});
  }
}
