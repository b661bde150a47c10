/** Metrics of lm-evaluation-harness 0.4 (`api/metrics.py`). Log-likelihoods are in nats. */
import { largest } from "../../arrays/large_arrays.ts";
import { largestIndex } from "../../language_model/sampling.ts";
import { pythonRegex } from "../../python/regex.ts";
import type { Probabilities, Weighted } from "../schema/sample_metric.ts";

/** Index of the choice that `acc` takes: the largest log-likelihood. */
export function likeliestChoice(logLikelihoods: readonly number[]): number {
  return largestIndex(logLikelihoods);
}

/** Index of the choice that `acc_norm` takes: the largest log-likelihood per Unicode code point of the choice. */
export function likeliestChoicePerCharacter(logLikelihoods: readonly number[], choices: readonly string[]): number {
  return largestIndex(logLikelihoods.map((value, i) => value / [...choices[i]].length));
}

/** Index of the choice that `acc_bytes` takes: the largest log-likelihood per UTF-8 byte of the choice. */
export function likeliestChoicePerByte(logLikelihoods: readonly number[], choices: readonly string[]): number {
  return largestIndex(logLikelihoods.map((value, i) => value / Buffer.byteLength(choices[i])));
}

/** True if prediction and reference are equal after the metric's settings were applied to both. */
export type ExactMatch = (prediction: string, reference: string) => boolean;

export interface ExactMatchSettings {
  /** Python's regular expressions, removed one after the other. */
  regexes_to_ignore?: readonly string[];
  ignore_case?: boolean;
  ignore_punctuation?: boolean;
  ignore_numbers?: boolean;
}

/** Python's `string.punctuation`. */
const punctuation = /[!-/:-@[-`{-~]/g;

/** @throws {RegexError} if a pattern cannot be used. */
export function compileExactMatch(settings: ExactMatchSettings): ExactMatch {
  const ignored = (settings.regexes_to_ignore ?? []).map((pattern) => pythonRegex(pattern));
  const normalize = (text: string) => {
    let rest = ignored.reduce((kept, pattern) => pattern.remove(kept), text);
    if (settings.ignore_case) rest = rest.toLowerCase();
    if (settings.ignore_punctuation) rest = rest.replace(punctuation, "");
    return settings.ignore_numbers ? rest.replace(/[0-9]/g, "") : rest;
  };
  return (prediction, reference) => normalize(prediction) === normalize(reference);
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard deviation with n - 1; NaN for fewer than two values. */
export function sampleDeviation(values: readonly number[]): number {
  const center = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1));
}

/** Standard error of the mean from the sample standard deviation; null for fewer than two values. */
export function meanStandardError(values: readonly number[]): number | null {
  return values.length < 2 ? null : sampleDeviation(values) / Math.sqrt(values.length);
}

function weightedMean(items: readonly Weighted[]): number {
  const sum = items.reduce((total, [logLikelihood]) => total + logLikelihood, 0);
  return sum / items.reduce((total, [, weight]) => total + weight, 0);
}

/** exp of the mean negative log-likelihood per word or byte. */
export function weightedPerplexity(items: readonly Weighted[]): number {
  return Math.exp(-weightedMean(items));
}

export function bitsPerByte(items: readonly Weighted[]): number {
  return -weightedMean(items) / Math.LN2;
}

export function softmax(logits: readonly number[]): number[] {
  const most = largest(logits);
  const weights = logits.map((value) => Math.exp(value - most));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Squared distance of the probabilities from certainty of the right choice (Brier 1950): 0 is best, 2 is worst. */
export function brierScore([gold, probabilities]: Probabilities): number {
  return probabilities.reduce((sum, value, index) => sum + (value - (index === gold ? 1 : 0)) ** 2, 0);
}
