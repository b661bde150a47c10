/** The text of tokenized documents, read back from their shards. */

import { existsSync } from "node:fs";
import path from "node:path";
import { largest } from "../../src/arrays/large_arrays.ts";
import { DataError } from "../../src/data/data_error.ts";
import type { DocumentPart } from "../../src/data/text_document.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { readManifest } from "./dataset_cache.ts";
import { ShardReader } from "./token_shards.ts";

const readTokens = 1 << 16;
/** Special tokens inside texts and what a tokenizer normalizes make small differences; another tokenizer large ones. */
const largestDifference = 0.02;

/** Whether a folder is one that `prepareDataset` filled. */
export function isShardFolder(folder: string): boolean {
  return existsSync(path.join(folder, "manifest.json")) && existsSync(path.join(folder, "train-00000.arrow"));
}

/**
 * The training documents of a folder of shards, in parts, as text. `onTokens` gets the tokens read so far, and of how many.
 * @param tokenizer the one that the shards were made with
 * @throws {DataError} if the folder is damaged, or, once all is read, if another tokenizer made it.
 */
export async function* readShardText(
  folder: string,
  tokenizer: Tokenizer,
  onTokens: (done: number, total: number) => void = () => {},
): AsyncGenerator<DocumentPart> {
  const manifest = await readManifest(folder, 1);
  if (manifest === null) throw new DataError(`${folder}: the shards are incomplete or of another version`);
  const { tokens, bytes } = manifest.train;
  const reader = new ShardReader(folder, "train", tokens);
  const wrongTokenizer = `${folder}: these shards were not made with this tokenizer`;
  const tokenBytes = Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.tokenBytes(id));
  const ids = new Int32Array(readTokens);
  const buffer = new Uint8Array(
    readTokens *
      largest(
        tokenBytes.map(({ length }) => length),
        1,
      ),
  );
  let decoder = new TextDecoder();
  let first = true;
  let written = 0;
  try {
    for (let done = 0; done < tokens; ) {
      const part = ids.subarray(0, Math.min(readTokens, tokens - done));
      await reader.read(done, part);
      let filled = 0;
      for (const id of part) {
        if (id === tokenizer.eosTokenId) {
          yield { text: decoder.decode(buffer.subarray(0, filled)), first, last: true };
          decoder = new TextDecoder();
          written += filled;
          filled = 0;
          first = true;
          continue;
        }
        const piece = tokenBytes[id];
        if (piece === undefined) throw new DataError(`${wrongTokenizer}: it has no token ${id}`);
        buffer.set(piece, filled);
        filled += piece.length;
      }
      written += filled;
      if (filled > 0) {
        yield { text: decoder.decode(buffer.subarray(0, filled), { stream: true }), first, last: false };
        first = false;
      }
      done += part.length;
      onTokens(done, tokens);
    }
    if (Math.abs(written - bytes) > largestDifference * bytes) {
      throw new DataError(`${wrongTokenizer}: ${written} bytes of text instead of ${bytes}`);
    }
    if (!first) yield { text: decoder.decode(), first: false, last: true };
  } finally {
    await reader.close();
  }
}
