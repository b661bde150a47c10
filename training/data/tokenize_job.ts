/** One unit of tokenizing work: some document parts in, their ids out. The same code runs inline and in workers. */

import type { DocumentPart } from "../../src/data/text_document.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";

export interface EncodedJob {
  /** Ids of all parts, one after the other. */
  ids: Uint32Array<ArrayBuffer>;
  /** Number of ids of each part. */
  lengths: Uint32Array<ArrayBuffer>;
  /** UTF-8 bytes of each part's text. */
  byteCounts: Uint32Array<ArrayBuffer>;
}

/**
 * Encodes `parts`. The first part of a document starts with BOS if the tokenizer adds one, the last part ends with
 * `endOfText`.
 */
export function encodeJob(tokenizer: Tokenizer, endOfText: number, parts: readonly DocumentPart[]): EncodedJob {
  const ids: number[] = [];
  const lengths = new Uint32Array(parts.length);
  const byteCounts = new Uint32Array(parts.length);
  parts.forEach(({ text, first, last }, index) => {
    const before = ids.length;
    if (first && tokenizer.addsBos) ids.push(tokenizer.bosTokenId!);
    for (const id of tokenizer.encode(text, { addSpecialTokens: false, continued: !first })) ids.push(id);
    if (last) ids.push(endOfText);
    lengths[index] = ids.length - before;
    byteCounts[index] = Buffer.byteLength(text);
  });
  return { ids: Uint32Array.from(ids), lengths, byteCounts };
}
