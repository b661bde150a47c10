/**
 * Compares what two forward passes say of the same sequences: the training forward on the model of the export plan,
 * and the reader of the exported file; and how much a different model loses against the trained one.
 */

import type { ModelConfig } from "../../src/config/model_config.ts";
import { UserError } from "../../src/errors/user_error.ts";
import { CounterRng } from "../../src/random/counter_rng.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { VerificationError } from "./verification.ts";

/** Predictions of one comparison, and the ragged lengths that they are cut into. */
const predictions = 512;
const sequenceLengths = [257, 2, 129, 64, 31, 97];

/**
 * Ragged sequences with 512 predictions together, from a text (windows of it, overlapping if it is short); of random
 * ids if the model has no tokenizer.
 */
export function comparisonSequences(config: ModelConfig, tokenizer: Tokenizer | null, text: string): Int32Array[] {
  const ids = tokenizer === null ? randomIds(config.vocabSize) : Int32Array.from(tokenizer.encode(text));
  if (ids.length < 2) throw new UserError("the text to compare on has fewer than 2 tokens");
  const sequences: Int32Array[] = [];
  for (let done = 0; done < predictions; ) {
    const wanted = sequenceLengths[sequences.length % sequenceLengths.length];
    const length = Math.min(wanted, ids.length, config.maxPositionEmbeddings + 1, predictions - done + 1);
    // A prime stride: windows of a short text begin at different places.
    const begin = (sequences.length * 101) % (ids.length - length + 1);
    sequences.push(ids.slice(begin, begin + length));
    done += length - 1;
  }
  return sequences;
}

function randomIds(vocabSize: number): Int32Array {
  const rng = new CounterRng(0, "export comparison");
  return Int32Array.from({ length: predictions }, () => rng.integer(vocabSize));
}

export interface Difference {
  /** Log-probabilities compared. */
  count: number;
  /** Largest absolute difference, in nats. */
  largest: number;
}

/** What a wrong reading of a file exceeds by far, and another order of the same sums does not reach. */
const readingTolerance = 0.05;

/** @throws {VerificationError} if the two are different models. */
export function differenceOf(expected: readonly Float32Array[], actual: readonly Float32Array[]): Difference {
  const differences = expected.flatMap((values, sequence) =>
    Array.from(values, (value, i) => Math.abs(value - actual[sequence][i])),
  );
  const largest = differences.reduce((most, each) => (each <= most ? most : each), 0);
  if (largest <= readingTolerance) return { count: differences.length, largest };
  throw new VerificationError(
    `the engine computes other log-probabilities from the source itself (by ${largest.toPrecision(3)} nats): it was not read rightly`,
  );
}

/**
 * @returns the number of log-probabilities compared.
 * @throws {VerificationError} naming the first that differs in its float32 bits.
 */
export function requireSameBits(expected: readonly Float32Array[], actual: readonly Float32Array[]): number {
  let count = 0;
  let different = 0;
  let first = "";
  expected.forEach((values, sequence) => {
    values.forEach((value, i) => {
      count++;
      if (Object.is(value, actual[sequence]?.[i])) return;
      if (different++ === 0) {
        first = `sequence ${sequence}, position ${i}: ${actual[sequence]?.[i]} instead of ${value}`;
      }
    });
  });
  if (different > 0) {
    throw new VerificationError(
      `${different} of ${count} log-probabilities differ from the training forward: ${first}`,
    );
  }
  return count;
}

/** Mean of -log P over all values, in nats. */
export function meanLoss(logProbs: readonly Float32Array[]): number {
  let sum = 0;
  let count = 0;
  for (const values of logProbs) {
    for (const value of values) sum -= value;
    count += values.length;
  }
  return sum / count;
}
