/**
 * Kinds of file that can be read, told by the file name. A new one is a line in this table and a file with its reader; a new
 * compression is a line in `compression.ts`.
 */
import { type Compression, compressionOfEnding, compressions, otherArchives } from "./compression.ts";
import type { LocatedRow, RowOptions } from "./row_source.ts";

export type DataFormat = "text" | "jsonl" | "csv" | "tsv" | "parquet" | "arrow";

/** The rows of a file, in order, a bounded part of it in memory at a time. */
export type RowReader = (
  file: string,
  compression: Compression | null,
  options: RowOptions,
) => AsyncGenerator<LocatedRow>;

interface FormatEntry {
  /** In lower case, without the dot. */
  endings: readonly string[];
  /** May be compressed as a whole: files of columns are so in their parts. */
  compressible: boolean;
  /** Its reader, loaded when it is asked for: the others' libraries are not. None of what has no rows. */
  reader?: () => Promise<RowReader>;
}

const formats: Readonly<Record<DataFormat, FormatEntry>> = {
  text: { endings: ["txt", "text", "md"], compressible: true },
  jsonl: {
    endings: ["jsonl", "ndjson", "json"],
    compressible: true,
    reader: async () => (await import("./json_lines.ts")).readJsonLines,
  },
  csv: { endings: ["csv"], compressible: true, reader: async () => (await import("./csv.ts")).readCsv },
  tsv: { endings: ["tsv", "tab"], compressible: true, reader: async () => (await import("./csv.ts")).readTsv },
  parquet: {
    endings: ["parquet"],
    compressible: false,
    reader: async () => (await import("./parquet.ts")).readParquet,
  },
  arrow: {
    endings: ["arrow", "feather", "ipc"],
    compressible: false,
    reader: async () => (await import("./arrow.ts")).readArrow,
  },
};

export interface FileFormat {
  format: DataFormat;
  compression: Compression | null;
}

const names = Object.keys(formats) as DataFormat[];

/** `.txt, .jsonl ..., each also .gz or .zst; .parquet ...`: the endings of the table, for messages. */
export const readableKinds = [true, false]
  .map((isCompressible) => {
    const endings = names.filter((name) => formats[name].compressible === isCompressible);
    const list = endings.flatMap((name) => formats[name].endings.map((ending) => `.${ending}`)).join(", ");
    return isCompressible
      ? `${list}, each also ${Object.keys(compressions)
          .map((name) => `.${name}`)
          .join(" or ")}`
      : list;
  })
  .join("; ");

/** The endings of a name, in lower case, the last first. */
function endingsOf(file: string): string[] {
  const name = file.slice(file.lastIndexOf("/") + 1);
  return name.toLowerCase().split(".").slice(1).reverse();
}

/** As a file is counted: `.jsonl.gz`, `.txt`. */
export function endingOf(file: string): string {
  const [last, before] = endingsOf(file);
  const isPacked = before !== undefined && compressionOfEnding(last) !== undefined;
  return isPacked ? `.${before}.${last}` : `.${last}`;
}

/** Format of `file`; null if it is none that we read. */
export function formatOf(file: string): FileFormat | null {
  const [last, before] = endingsOf(file);
  const compression = last === undefined ? undefined : compressionOfEnding(last);
  const ending = compression === undefined ? last : before;
  const format = names.find((name) => formats[name].endings.includes(ending ?? ""));
  if (format === undefined || (compression !== undefined && !formats[format].compressible)) return null;
  return { format, compression: compression ?? null };
}

/** The reader of rows of a format; null if it has none. */
export function rowReader(format: DataFormat): Promise<RowReader> | null {
  return formats[format].reader?.() ?? null;
}

/** The ending of a file that is not read, and the program that makes a readable one of it: `.jsonl.xz (unxz)`. */
export function unreadableKind(file: string): string {
  const [last, before] = endingsOf(file);
  if (last === undefined) return "without an ending";
  const program = otherArchives[last];
  if (program === undefined) return `.${last}`;
  return `.${before !== undefined && /^[a-z]+$/.test(before) ? `${before}.` : ""}${last} (${program})`;
}
