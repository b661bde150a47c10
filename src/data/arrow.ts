/** Rows of an Arrow IPC file or stream (what Hugging Face `datasets` keeps in its cache), a record batch at a time. */
import { open } from "node:fs/promises";
import { MapRow, type RecordBatch, RecordBatchReader, StructRow, Vector } from "apache-arrow";
import { registerArrowCodecs } from "./arrow_codecs.ts";
import { pythonColumn } from "./column_values.ts";
import type { Compression } from "./compression.ts";
import type { JsonObject } from "./document.ts";
import { checkFields, type LocatedRow, type RowOptions, readable, withPlainNumbers } from "./row_source.ts";

/** A value as JSON has it: lists and structs are views of columns until then. */
function plainValue(value: unknown): unknown {
  if (value instanceof Vector) return Array.from(value, plainValue);
  if (value instanceof StructRow || value instanceof MapRow) {
    return Object.fromEntries(Object.entries(value.toJSON()).map(([key, entry]) => [key, plainValue(entry)]));
  }
  return withPlainNumbers(value);
}

const plain = (column: Vector) => ({ get: (index: number) => plainValue(column.get(index)) });

async function* recordBatches(
  file: string,
  options: RowOptions,
): AsyncGenerator<{ batch: RecordBatch; names: readonly string[]; bytes: number }> {
  await registerArrowCodecs();
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const reader = await RecordBatchReader.from(handle);
    await reader.open();
    if (!reader.schema?.fields) throw new Error("no schema");
    const present = reader.schema.fields.map(({ name }) => name);
    const names = checkFields(file, present, options);
    let bytes = 0;
    for await (const batch of reader) {
      bytes += batch.data.byteLength;
      yield { batch, names, bytes: Math.min(bytes, size) };
    }
  } finally {
    await handle.close().catch(() => undefined);
  }
}

export async function* readArrow(file: string, _: Compression | null, options: RowOptions): AsyncGenerator<LocatedRow> {
  let number = 0;
  for await (const { batch, names, bytes } of readable(recordBatches(file, options), file, "Arrow")) {
    const columns = names
      .map((name) => batch.getChild(name)!)
      .map((column) => (options.exact ? pythonColumn(column) : plain(column)));
    for (let index = 0; index < batch.numRows; index++) {
      const row: JsonObject = {};
      for (const [column, name] of names.entries()) row[name] = columns[column].get(index);
      yield { row, place: `${file}: row ${++number}` };
    }
    options.onBytes?.(bytes);
  }
}
