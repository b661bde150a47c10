/** The rows of a data file, one way for all formats. */
import { formatOf, rowReader } from "./data_format.ts";
import type { RowSource } from "./row_source.ts";

/** Rows of `file` by its name's ending; a name that tells no format is one of JSON Lines. */
export function openRows(file: string): RowSource {
  const { format, compression } = formatOf(file) ?? { format: "jsonl", compression: null };
  return {
    async *rows(options = {}) {
      const read = await (rowReader(format) ?? rowReader("jsonl")!);
      yield* read(file, compression, options);
    },
  };
}
