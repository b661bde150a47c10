/** The text of a UTF-8 file, as it is or compressed, read as a stream. */
import { stat } from "node:fs/promises";
import { type Compression, compressionOfContent, readBytes, readHead } from "./compression.ts";
import { DataError } from "./data_error.ts";
import { notRows, notText } from "./file_content.ts";
import { type OnBytes, type OnRemark, readable, readError } from "./row_source.ts";
import { Utf8Decoder } from "./utf8_decoder.ts";

export interface TextChunkOptions {
  onBytes?: OnBytes;
  onRemark?: OnRemark;
  /** The text is to hold rows: a web page is none. */
  asRows?: boolean;
}

/** How the file is packed, by its content: names are given by hand. @throws {DataError} if it is not what the name says. */
async function packingOf(file: string, named: Compression | null, asRows: boolean): Promise<Compression | null> {
  const head = await readHead(file).catch((error: unknown) => {
    throw readError(file, error);
  });
  const packing = compressionOfContent(head) ?? null;
  const what = packing === null ? (asRows ? notRows(head) : notText(head)) : undefined;
  if (what !== undefined) throw new DataError(`${file}: it is ${what}`);
  if (named !== null && packing !== named && head.length > 0) {
    throw new DataError(`${file}: not packed as its name says: give it the ending of what it is`);
  }
  return packing;
}

/**
 * The text, chunk by chunk; a byte order mark is dropped.
 * @param compression that the name tells
 * @throws {DataError} with the byte, if the file is damaged, cut short, or no UTF-8 text but for a few bytes (see
 * few_faults.ts), which are counted in a remark.
 */
export async function* readTextChunks(
  file: string,
  compression: Compression | null,
  { onBytes, onRemark, asRows = false }: TextChunkOptions = {},
): AsyncGenerator<string> {
  const packing = await packingOf(file, compression, asRows);
  const { size } = await stat(file);
  const decoder = new Utf8Decoder(file, size);
  let isStart = true;
  for await (const chunk of readable(readBytes(file, packing, onBytes), file)) {
    const what =
      isStart && packing !== null ? (asRows ? notRows : notText)(Buffer.from(chunk.slice(0, 4096))) : undefined;
    if (what !== undefined) throw new DataError(`${file}: what is packed in it is ${what}`);
    isStart = false;
    yield decoder.push(chunk);
  }
  yield decoder.end();
  const remark = decoder.remark();
  if (remark !== undefined) onRemark?.(remark);
}
