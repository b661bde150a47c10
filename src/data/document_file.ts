/** Task documents from JSONL and Parquet files. Whatever is wrong is reported with the file and the line or row. */
import { readFile } from "node:fs/promises";
import { systemErrorText } from "../errors/system_error.ts";
import { UserError } from "../errors/user_error.ts";
import type { JsonObject } from "./document.ts";

/** A data file that cannot be read or used: one line with file and place. */
export class DataFileError extends UserError {
  override name = "DataFileError";
}

export interface LocatedDocument {
  document: JsonObject;
  /** `file:line`, or `file: row N` in a Parquet file (both from 1). */
  place: string;
}

/** All documents of a `.jsonl` or `.parquet` file, in order. @throws {DataFileError} */
export async function readDocumentFile(file: string): Promise<LocatedDocument[]> {
  return file.endsWith(".parquet") ? readParquet(file) : readJsonLines(file);
}

async function readJsonLines(file: string): Promise<LocatedDocument[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new DataFileError(`cannot read ${file}: ${systemErrorText(error)}`);
  }
  const documents: LocatedDocument[] = [];
  text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .forEach((line, index) => {
      if (line.trim() === "") return;
      const place = `${file}:${index + 1}`;
      documents.push({ document: parseObject(line, place), place });
    });
  return documents;
}

function parseObject(line: string, place: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new DataFileError(`${place}: not valid JSON: ${(error as Error).message}`);
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new DataFileError(`${place}: not a JSON object`);
  }
  return value as JsonObject;
}

async function readParquet(file: string): Promise<LocatedDocument[]> {
  // Loaded here: JSONL and generated tasks start without the Parquet library.
  const { asyncBufferFromFile, parquetReadObjects } = await import("hyparquet");
  const { compressors } = await import("hyparquet-compressors");
  let rows: JsonObject[];
  try {
    rows = await parquetReadObjects({ file: await asyncBufferFromFile(file), compressors });
  } catch (error) {
    throw new DataFileError(`${file} is not a readable Parquet file: ${(error as Error).message}`);
  }
  return rows.map((row, index) => ({
    document: withPlainNumbers(row) as JsonObject,
    place: `${file}: row ${index + 1}`,
  }));
}

/** int64 columns arrive as bigint; the JSON form of a document has numbers. */
function withPlainNumbers(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(withPlainNumbers);
  if (value !== null && typeof value === "object" && !(value instanceof Date)) {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, withPlainNumbers(entry)]));
  }
  return value;
}
