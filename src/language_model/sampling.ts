/** Drawing the next token from logits. */
import type { CounterRng } from "../random/counter_rng.ts";

export interface SamplingOptions {
  /** Above 0. */
  temperature: number;
  /** Keep only the k likeliest tokens; 0 or absent: all. */
  topK?: number;
  /** Keep the likeliest tokens until their probabilities reach this; 1 or absent: all. */
  topP?: number;
}

/** Index of the largest value; the first one on a tie. */
export function largestIndex(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

/** Id drawn from softmax(logits / temperature) after top-k and top-p. Takes one value of `rng`. */
export function drawToken(logits: Float32Array, { temperature, topK, topP }: SamplingOptions, rng: CounterRng): number {
  // Ties by id, so that the order is the same everywhere.
  const order = Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a] || a - b);
  const candidates = topK ? order.slice(0, topK) : order;
  const largest = logits[candidates[0]];
  const weights = candidates.map((id) => Math.exp((logits[id] - largest) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const kept = nucleus(weights, (topP ?? 1) * total);
  const keptTotal = weights.slice(0, kept).reduce((sum, weight) => sum + weight, 0);
  let remaining = rng.uniform() * keptTotal;
  for (let i = 0; i < kept; i++) {
    remaining -= weights[i];
    if (remaining < 0) return candidates[i];
  }
  return candidates[kept - 1];
}

/** How many of the descending weights are needed to reach `mass`; at least 1. */
function nucleus(weights: readonly number[], mass: number): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    sum += weights[i];
    if (sum >= mass) return i + 1;
  }
  return weights.length;
}
