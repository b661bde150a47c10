/** The values that a metric may have for one sample. */

/** A log-likelihood with the number of words or bytes that it covers. */
export type Weighted = readonly [logLikelihood: number, weight: number];

/** True and predicted class: indices of choices, or answers. */
export type ClassPair = readonly [gold: number | string, predicted: number | string];

/** Index of the right choice, and the probability of each. */
export type Probabilities = readonly [gold: number, probabilities: readonly number[]];

/**
 * A metric of one sample: a number, what a score of all samples is made from, or several judgements of one answer; null
 * where nothing is judged (`--predict_only`).
 */
export type SampleMetric = number | Weighted | ClassPair | Probabilities | readonly boolean[] | null;

export type Metrics = Readonly<Record<string, SampleMetric>>;
