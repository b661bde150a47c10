/** Batches of next-token prediction, cut out of a packed token stream. */
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import type { TokenRange } from "./token_range.ts";

export interface Batch {
  /** [batchSize, sequenceLength] token ids; 0 where the target is -1. */
  ids: Int32Array;
  /** [batchSize, sequenceLength] the id after each; -1 where there is none (padding). */
  targets: Int32Array;
  batchSize: number;
  sequenceLength: number;
  /** Targets that count. */
  tokens: number;
  /** UTF-8 bytes that those targets stand for: bits per byte = sum of nats / ln 2 / bytes. */
  bytes: number;
}

/** UTF-8 bytes of each id; 0 for special tokens. */
export function tokenByteLengths(tokenizer: Tokenizer): Uint16Array {
  return Uint16Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.tokenBytes(id).length);
}

/** Sequences of `sequenceLength` inputs in a stream; the targets of the last one need one token more. */
export function countSequences(tokens: number, sequenceLength: number): number {
  return Math.max(0, Math.floor((tokens - 1) / sequenceLength));
}

/**
 * Batch of the sequences with these numbers. Sequence i covers tokens i * sequenceLength up to and including
 * (i + 1) * sequenceLength; one that runs over the end of the stream is padded.
 */
export async function readBatch(
  stream: TokenRange,
  sequences: readonly number[],
  sequenceLength: number,
  byteLengths: Uint16Array,
): Promise<Batch> {
  const ids = new Int32Array(sequences.length * sequenceLength);
  const targets = new Int32Array(ids.length).fill(-1);
  const windows = sequences.map(async (sequence) => {
    const start = sequence * sequenceLength;
    const window = new Int32Array(Math.min(sequenceLength + 1, stream.length - start));
    await stream.read(start, window);
    return window;
  });
  let tokens = 0;
  let bytes = 0;
  for (const [row, read] of (await Promise.all(windows)).entries()) {
    ids.set(read.subarray(0, read.length - 1), row * sequenceLength);
    targets.set(read.subarray(1), row * sequenceLength);
    tokens += read.length - 1;
    for (let i = 1; i < read.length; i++) bytes += byteLengths[read[i]];
  }
  return { ids, targets, batchSize: sequences.length, sequenceLength, tokens, bytes };
}
