/** Training data from standard input: kept in the cache, so that it can be read again, hashed, and gone on with. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { compressionOfContent } from "../src/data/compression.ts";
import { DataError } from "../src/data/data_error.ts";
import { discard, sweepLeftovers, temporaryPath } from "../src/files/leftovers.ts";
import { makeDirectory } from "../src/files/make_directory.ts";
import { writeError } from "../src/files/write_error.ts";

/** Name of standard input among `data.sources`. */
export const standardInput = "-";

type Input = AsyncIterable<Uint8Array> & { isTTY?: boolean };

/** The ending that tells the kind of a text: objects of JSON, or plain text. */
function endingOf(head: Buffer): string {
  const first = head
    .toString("latin1")
    .replace(/^\xef\xbb\xbf/, "")
    .trimStart()[0];
  return first === "{" ? ".jsonl" : first === "[" ? ".json" : ".txt";
}

/**
 * Writes the input into `folder`, under a name of its content. Returns the path.
 * @throws {DataError} if nothing comes, or something packed
 */
export async function spoolInput(folder: string, input: Input = process.stdin): Promise<string> {
  if (input.isTTY)
    throw new DataError("data.sources -: standard input is a terminal; pipe the data in, or name a file");
  makeDirectory(folder);
  sweepLeftovers(folder);
  const temporary = temporaryPath(path.join(folder, "stdin"), "new");
  const hash = createHash("sha256");
  let head = Buffer.alloc(0);
  async function* seen(): AsyncGenerator<Uint8Array> {
    for await (const chunk of input) {
      if (head.length < 64) head = Buffer.concat([head, chunk.subarray(0, 4096)]);
      hash.update(chunk);
      yield chunk;
    }
  }
  try {
    await pipeline(seen(), createWriteStream(temporary));
    if (head.length === 0) throw new DataError("data.sources -: nothing came from standard input");
    if (compressionOfContent(head)) {
      throw new DataError(
        "data.sources -: standard input is packed: unpack it on the way (zcat FILE | bitnet-train ...)",
      );
    }
    const file = path.join(folder, `stdin-${hash.digest("hex").slice(0, 16)}${endingOf(head)}`);
    await rename(temporary, file);
    return file;
  } catch (error) {
    discard(temporary);
    throw error instanceof DataError ? error : writeError(folder, error);
  }
}

/**
 * `sources` with a file in place of standard input; the same if it is not among them.
 * @param folder of the cache, asked for only then
 */
export async function withStandardInput(
  sources: string | string[],
  folder: () => string,
  input?: Input,
): Promise<string | string[]> {
  const list = typeof sources === "string" ? [sources] : sources;
  if (!list.includes(standardInput)) return sources;
  const file = await spoolInput(folder(), input);
  return list.map((source) => (source === standardInput ? file : source));
}
