/** Kinds of file that can be read, told by the file name. */

export type DataFormat = "text" | "jsonl" | "parquet" | "arrow";

export interface FileFormat {
  format: DataFormat;
  gzipped: boolean;
}

const formats: Record<string, DataFormat> = {
  txt: "text",
  text: "text",
  md: "text",
  jsonl: "jsonl",
  ndjson: "jsonl",
  json: "jsonl",
  parquet: "parquet",
  arrow: "arrow",
  feather: "arrow",
  ipc: "arrow",
};

export const readableKinds = ".txt, .md, .jsonl, .json (one object a line), each also .gz; .parquet, .arrow, .feather";

/** Format of `name`; null if it is none that we read. */
export function formatOf(name: string): FileFormat | null {
  const match = /\.([A-Za-z0-9]+?)(\.gz)?$/.exec(name);
  const format = match ? formats[match[1].toLowerCase()] : undefined;
  if (!match || !format) return null;
  const gzipped = match[2] !== undefined;
  return gzipped && format !== "text" && format !== "jsonl" ? null : { format, gzipped };
}
