/** The text of a UTF-8 file, as it is or gzipped, read as a stream. */
import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { DataError } from "./data_error.ts";
import { type OnBytes, readable } from "./row_source.ts";

const chunkBytes = 1 << 20;

/**
 * The text, chunk by chunk; a byte order mark is dropped, invalid bytes become U+FFFD.
 * @throws {DataError} if the file is damaged, or has zero bytes at its beginning (then it is no text).
 */
export async function* readTextChunks(
  file: string,
  gzipped: boolean,
  onBytes: OnBytes = () => {},
): AsyncGenerator<string> {
  const raw = createReadStream(file, { highWaterMark: chunkBytes });
  const bytes = gzipped ? raw.pipe(createGunzip({ chunkSize: chunkBytes })) : raw;
  if (bytes !== raw) raw.on("error", (error) => bytes.destroy(error));
  const decoder = new TextDecoder("utf-8");
  let isStart = true;
  try {
    for await (const chunk of readable(bytes as AsyncIterable<Buffer>, file)) {
      if (isStart && chunk.subarray(0, 4096).includes(0)) throw new DataError(`${file}: not a text file`);
      isStart = false;
      yield decoder.decode(chunk, { stream: true });
      onBytes(raw.bytesRead);
    }
    yield decoder.decode();
  } finally {
    raw.destroy();
  }
}
