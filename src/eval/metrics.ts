/** Metrics and aggregations of lm-evaluation-harness 0.4 (`api/metrics.py`). Log-likelihoods are in nats. */
import { largestIndex } from "./sampling.ts";

/** Index of the choice that `acc` takes: the largest log-likelihood. */
export function likeliestChoice(logLikelihoods: readonly number[]): number {
  return largestIndex(logLikelihoods);
}

/** Index of the choice that `acc_norm` takes: the largest log-likelihood per Unicode code point of the choice. */
export function likeliestChoicePerCharacter(logLikelihoods: readonly number[], choices: readonly string[]): number {
  return largestIndex(logLikelihoods.map((value, i) => value / [...choices[i]].length));
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard error of the mean from the sample standard deviation; null for fewer than two values. */
export function meanStandardError(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const center = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - center) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1)) / Math.sqrt(values.length);
}

/** Log-likelihood of a text and what it is divided by: its words or its UTF-8 bytes. */
export interface WeightedLogLikelihood {
  logLikelihood: number;
  weight: number;
}

function weightedMean(items: readonly WeightedLogLikelihood[]): number {
  const sum = items.reduce((total, item) => total + item.logLikelihood, 0);
  return sum / items.reduce((total, item) => total + item.weight, 0);
}

/** exp of the mean negative log-likelihood per word or byte. */
export function weightedPerplexity(items: readonly WeightedLogLikelihood[]): number {
  return Math.exp(-weightedMean(items));
}

export function bitsPerByte(items: readonly WeightedLogLikelihood[]): number {
  return -weightedMean(items) / Math.LN2;
}
