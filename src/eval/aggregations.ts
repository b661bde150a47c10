/** From the values of the documents to a score and its standard error (`api/metrics.py`). */
import { nearestName } from "../config/nearest_name.ts";
import { bitsPerByte, mean, meanStandardError, weightedPerplexity } from "./metrics.ts";
import { namedFunction, UnknownFunctionError } from "./named_functions.ts";
import { PythonRandom } from "./python/random.ts";
import type { SampleMetric } from "./sample.ts";
import { FunctionName } from "./task_schema.ts";

export interface Aggregation {
  score(values: readonly SampleMetric[]): number;
  /** Null where there is none. `resamples`: of the bootstrap, for scores without a formula. */
  standardError(values: readonly SampleMetric[], resamples: number): number | null;
}

type Weighted = readonly (readonly [logLikelihood: number, weight: number])[];
const weighted = (score: (items: { logLikelihood: number; weight: number }[]) => number): Aggregation => ({
  score: (values) => score((values as Weighted).map(([logLikelihood, weight]) => ({ logLikelihood, weight }))),
  standardError: () => null,
});

function perplexity(logLikelihoods: readonly number[]): number {
  return Math.exp(-mean(logLikelihoods));
}

/** Resamples of one generator: lm-evaluation-harness seeds a new one for each such share. */
const chunk = 1000;

/**
 * Standard deviation of `statistic` over resamples with replacement, drawn as lm-evaluation-harness draws them: chunk i by
 * `random.Random(i).choices`.
 */
export function bootstrapStandardError(
  statistic: (sample: readonly number[]) => number,
  values: readonly number[],
  resamples: number,
): number {
  const size = Math.min(chunk, resamples);
  const results: number[] = [];
  const sample = new Array<number>(values.length);
  for (let i = 0; i < Math.floor(resamples / size); i++) {
    const random = new PythonRandom(i);
    for (let j = 0; j < size; j++) {
      for (let k = 0; k < sample.length; k++) sample[k] = values[Math.floor(random.random() * values.length)];
      results.push(statistic(sample));
    }
  }
  return meanStandardError(results)! * Math.sqrt(results.length);
}

const aggregations: Record<string, Aggregation> = {
  mean: {
    score: (values) => mean(values as readonly number[]),
    standardError: (values) => meanStandardError(values as readonly number[]),
  },
  perplexity: {
    score: (values) => perplexity(values as readonly number[]),
    standardError: (values, resamples) =>
      values.length < 2 || resamples < 2
        ? null
        : bootstrapStandardError(perplexity, values as readonly number[], resamples),
  },
  weighted_perplexity: weighted(weightedPerplexity),
  bits_per_byte: weighted(bitsPerByte),
  // lm-evaluation-harness's placeholder where nothing is judged.
  bypass: { score: () => 999, standardError: () => null },
};

/** Of metrics whose file names none. */
export const defaultAggregations: Readonly<Record<string, string>> = {
  perplexity: "perplexity",
  word_perplexity: "weighted_perplexity",
  byte_perplexity: "weighted_perplexity",
  bits_per_byte: "bits_per_byte",
  bypass: "bypass",
};

export function higherIsBetter(metric: string): boolean {
  return !/perplexity$|^bits_per_byte$/.test(metric);
}

/** @throws {UnknownFunctionError} */
export function namedAggregation(name: string | FunctionName): Aggregation {
  if (name instanceof FunctionName) {
    return { score: namedFunction("aggregation", name.name), standardError: () => null };
  }
  if (Object.hasOwn(aggregations, name)) return aggregations[name];
  const names = Object.keys(aggregations);
  throw new UnknownFunctionError(
    `unknown aggregation "${name}"; the nearest is ${nearestName(name, names)} (there are ${names.join(", ")})`,
  );
}
