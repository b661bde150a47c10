/** Metrics of lm-evaluation-harness 0.4 (`api/metrics.py`). Log-likelihoods are in nats. */
import { pythonRegex } from "./python/regex.ts";
import { largestIndex } from "./sampling.ts";

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
  if (settings.ignore_punctuation) ignored.push(punctuation);
  if (settings.ignore_numbers) ignored.push(/[0-9]/g);
  const patterns = settings.regexes_to_ignore?.length ?? 0;
  const normalize = (text: string) => {
    const rest = ignored.slice(0, patterns).reduce((kept, pattern) => kept.replace(pattern, ""), text);
    const folded = settings.ignore_case ? rest.toLowerCase() : rest;
    return ignored.slice(patterns).reduce((kept, pattern) => kept.replace(pattern, ""), folded);
  };
  return (prediction, reference) => normalize(prediction) === normalize(reference);
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
