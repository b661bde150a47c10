/** Plain text and JSON Lines, as they are or gzipped, read as a stream. */
import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { messageOf } from "../errors/user_error.ts";
import { DataError } from "./data_error.ts";
import { cutDocument, type DocumentPart, DocumentSplitter } from "./text_document.ts";

const chunkBytes = 1 << 20;
/** A longer JSON line is taken for a file that is not JSON Lines. */
const maxLineLength = 64 << 20;

/** Bytes of the file read so far, on disk. */
export type OnBytes = (bytes: number) => void;

/**
 * Text of a UTF-8 file, chunk by chunk; a byte order mark is dropped, invalid bytes become U+FFFD.
 * @throws {DataError} if the file is damaged, or has zero bytes at its beginning (then it is no text).
 */
async function* readText(file: string, gzipped: boolean, onBytes: OnBytes): AsyncGenerator<string> {
  const raw = createReadStream(file, { highWaterMark: chunkBytes });
  const bytes = gzipped ? raw.pipe(createGunzip({ chunkSize: chunkBytes })) : raw;
  if (bytes !== raw) raw.on("error", (error) => bytes.destroy(error));
  const decoder = new TextDecoder("utf-8");
  let isStart = true;
  try {
    for await (const chunk of bytes as AsyncIterable<Buffer>) {
      if (isStart && chunk.subarray(0, 4096).includes(0)) throw new DataError(`${file}: not a text file`);
      isStart = false;
      yield decoder.decode(chunk, { stream: true });
      onBytes(raw.bytesRead);
    }
    yield decoder.decode();
  } catch (error) {
    throw error instanceof DataError ? error : new DataError(`${file}: ${messageOf(error)}`);
  } finally {
    raw.destroy();
  }
}

export async function* readPlainText(
  file: string,
  gzipped: boolean,
  separator: string | null,
  onBytes: OnBytes,
): AsyncGenerator<DocumentPart> {
  const splitter = new DocumentSplitter(separator);
  for await (const chunk of readText(file, gzipped, onBytes)) yield* splitter.push(chunk);
  yield* splitter.end();
}

async function* readLines(file: string, gzipped: boolean, onBytes: OnBytes): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of readText(file, gzipped, onBytes)) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    yield* lines;
    if (rest.length > maxLineLength) throw new DataError(`${file}: a line is longer than 64 Mi characters`);
  }
  if (rest !== "") yield rest;
}

/** Text of `row`'s field; null if it is null. Throws a {@link DataError} that names the fields that do exist. */
function textOf(row: unknown, field: string, where: string): string | null {
  if (row === null || typeof row !== "object" || Array.isArray(row)) {
    throw new DataError(`${where}: not a JSON object (one object with a "${field}" field a line is expected)`);
  }
  const value = (row as Record<string, unknown>)[field];
  if (value === undefined) {
    throw new DataError(`${where}: no field "${field}" (fields: ${Object.keys(row).join(", ") || "none"})`);
  }
  if (value !== null && typeof value !== "string") throw new DataError(`${where}: field "${field}" is not text`);
  return value;
}

export async function* readJsonLines(
  file: string,
  gzipped: boolean,
  field: string,
  onBytes: OnBytes,
): AsyncGenerator<DocumentPart> {
  let number = 0;
  for await (const line of readLines(file, gzipped, onBytes)) {
    number++;
    if (line.trim() === "") continue;
    let row: unknown;
    try {
      row = JSON.parse(line);
    } catch (error) {
      throw new DataError(`${file}:${number}: not valid JSON: ${messageOf(error)}`);
    }
    yield* cutDocument(textOf(row, field, `${file}:${number}`) ?? "");
  }
}
