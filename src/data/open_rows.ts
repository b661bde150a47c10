/** The rows of a data file, one way for all formats: JSON Lines (also gzipped), Parquet, Arrow. */
import { formatOf } from "./data_format.ts";
import type { RowSource } from "./row_source.ts";

/** Rows of `file` by its name's ending; a name that tells no format is one of JSON Lines. */
export function openRows(file: string): RowSource {
  const { format, gzipped } = formatOf(file) ?? { format: "jsonl", gzipped: false };
  // Loaded here: the other formats start without the libraries of columns.
  return {
    async *rows(options = {}) {
      if (format === "parquet") yield* (await import("./parquet.ts")).readParquet(file, options);
      else if (format === "arrow") yield* (await import("./arrow.ts")).readArrow(file, options);
      else yield* (await import("./json_lines.ts")).readJsonLines(file, gzipped, options);
    },
  };
}
