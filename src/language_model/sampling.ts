/**
 * Drawing the next token from logits. This is the reference of `native/cc/inference/sampler.cc`, which draws the same id:
 * a seed gives one text, from a checkpoint and from its GGUF file, on every machine.
 *
 *     weight_i = exp((logit_i - largest logit) / temperature)
 *     top-k    keeps the k largest logits, of equal ones those with the smaller ids
 *     top-p    keeps, in that order, the first whose weights reach top_p * (sum of the weights)
 *     min-p    keeps those whose weight is at least min_p (arXiv:2407.01082; the largest weight is 1)
 *     draw n   the first token at which the running sum exceeds uniform(seed, n) * (sum of the weights kept)
 *
 * Sums run over the tokens in the order of their ids, or, where one of the three may leave some out, from the largest logit
 * down. Everything is float64 in plain operations, in the order written here (JavaScript has no fused multiply-add), exp
 * is a polynomial of our own, and uniform(seed, n) is a hash of seed and counter.
 */
import { CounterRng } from "../random/counter_rng.ts";

export interface SamplingOptions {
  /** 0 or absent: greedy. */
  temperature?: number;
  /** Keep only the k most probable tokens; 0 or absent: all. */
  topK?: number;
  /** Keep the most probable tokens until their probabilities add up to this; 1 or absent: all. */
  topP?: number;
  /** Keep only tokens at least this many times as probable as the likeliest; 0 or absent: all. */
  minP?: number;
  /** Integer from 0, default 0; the same seed draws the same tokens on every machine. */
  seed?: number;
}

/** Index of the largest value; the first one on a tie. */
export function largestIndex(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

/**
 * Id drawn from softmax(logits / temperature) after top-k, top-p and min-p; the arg max without temperature.
 * @param drawn number of tokens drawn before with this seed
 */
export function drawToken(logits: Float32Array, sampling: SamplingOptions, drawn: number): number {
  const { temperature = 0, topK = 0, topP = 1, minP = 0, seed = 0 } = sampling;
  if (temperature === 0 || topK === 1) return largestIndex(logits);
  const ids = candidates(logits, topK, topP < 1 || minP > 0);
  const largest = logits[largestIndex(logits)];
  const weights = ids.map((id) => exp((logits[id] - largest) / temperature));
  let kept = topP < 1 ? nucleus(weights, topP) : weights.length;
  if (minP > 0) while (kept > 1 && weights[kept - 1] < minP) kept--;
  const target = uniform(seed, drawn) * sum(weights, kept);
  let reached = 0;
  for (let i = 0; i < kept; i++) {
    reached += weights[i];
    if (target < reached) return ids[i];
  }
  // Only if no weight is a number: the target is below the sum.
  return ids[kept - 1];
}

/** Ids in the order of the sums. */
function candidates(logits: Float32Array, topK: number, ordered: boolean): number[] {
  const ids = Array.from(logits.keys());
  const limit = topK > 0 && topK < ids.length ? topK : ids.length;
  if (limit === ids.length && !ordered) return ids;
  return ids.sort((a, b) => logits[b] - logits[a] || a - b).slice(0, limit);
}

function sum(weights: readonly number[], count: number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += weights[i];
  return total;
}

/** How many of the descending weights are needed to reach the share `topP` of their sum; at least 1. */
function nucleus(weights: readonly number[], topP: number): number {
  const limit = sum(weights, weights.length) * topP;
  let kept = weights[0];
  let count = 1;
  while (count < weights.length && kept < limit) kept += weights[count++];
  return count;
}

/** Number `n` of the seed's stream, in [0, 1). */
function uniform(seed: number, n: number): number {
  // Two 32-bit values of the stream make one number.
  return new CounterRng(seed, "generate", 2 * n).uniform();
}

/** A weight below exp(-700) = 1e-304 counts as nothing: there are no subnormal numbers in the sums. */
const smallestExponent = -700;
/** ln 2 = high + low: the high part has so few bits that its product with any n here is exact (fdlibm's `e_exp.c`). */
const ln2High = 0.6931471803691238;
const ln2Low = 1.9082149292705877e-10;
/** Adding and subtracting 1.5 * 2^52 rounds to the nearest integer. */
const roundingShift = 6755399441055744;
/** 1 / k! for k = 0 .. 13: the remainder of the series is below 5e-18 for |r| <= ln 2 / 2. */
const inverseFactorials = [1];
for (let k = 1, factorial = 1; k <= 13; k++) {
  factorial *= k;
  inverseFactorials.push(1 / factorial);
}
/** 2^-n, exact. */
const inversePowers = [1];
while (inversePowers.length <= 1011) inversePowers.push(inversePowers[inversePowers.length - 1] / 2);

/** exp(x) for x <= 0: x = n ln 2 + r, exp(x) = 2^n (1 + r + r^2 / 2! + ... + r^13 / 13!). 0 below -700, and for NaN. */
export function exp(x: number): number {
  if (!(x >= smallestExponent)) return 0;
  const n = x * Math.LOG2E + roundingShift - roundingShift;
  const r = x - n * ln2High - n * ln2Low;
  let series = inverseFactorials[13];
  for (let k = 12; k >= 0; k--) series = series * r + inverseFactorials[k];
  return series * inversePowers[-n];
}
