/** From the values of the documents to a score and its standard error (`api/metrics.py`). */
import { nearestHint } from "../../errors/nearest_name.ts";
import { PythonRandom } from "../../python/random.ts";
import { namedFunction } from "../functions/named_functions.ts";
import type { ClassPair, Probabilities, SampleMetric, Weighted } from "../schema/sample_metric.ts";
import { TaskRuleError } from "../schema/task_rule_error.ts";
import { FunctionName } from "../schema/task_schema.ts";
import { type ClassCounts, countClasses, f1Score, matthewsCorrelation } from "./class_counts.ts";
import { bitsPerByte, brierScore, mean, meanStandardError, sampleDeviation, weightedPerplexity } from "./metrics.ts";

const isNumber = (value: unknown) => typeof value === "number";
const isLabel = (value: unknown) => typeof value === "number" || typeof value === "string";
const isPair = (value: SampleMetric, first: (part: unknown) => boolean, second: (part: unknown) => boolean) =>
  Array.isArray(value) && value.length === 2 && first(value[0]) && second(value[1]);

/** What an aggregation takes from each document. */
const valueKinds = {
  number: isNumber,
  weighted: (value: SampleMetric) => isPair(value, isNumber, isNumber),
  classes: (value: SampleMetric) => isPair(value, isLabel, isLabel),
  probabilities: (value: SampleMetric) => isPair(value, isNumber, Array.isArray),
  any: () => true,
};

export interface Aggregation {
  name: string;
  values: keyof typeof valueKinds;
  score(values: readonly SampleMetric[]): number;
  /** Null where there is none. `resamples`: of the bootstrap, for scores without a formula. */
  standardError(values: readonly SampleMetric[], resamples: number): number | null;
}

/** Resamples of one generator: lm-evaluation-harness seeds a new one for each such share. */
const chunk = 1000;

/**
 * Standard deviation of `statistic` over resamples with replacement, drawn as lm-evaluation-harness draws them: chunk i by
 * `random.Random(i).choices`.
 */
export function bootstrapStandardError<Value>(
  statistic: (sample: readonly Value[]) => number,
  values: readonly Value[],
  resamples: number,
): number {
  const size = Math.min(chunk, resamples);
  const results: number[] = [];
  const sample = new Array<Value>(values.length);
  for (let i = 0; i < Math.floor(resamples / size); i++) {
    const random = new PythonRandom(i);
    for (let j = 0; j < size; j++) {
      for (let k = 0; k < sample.length; k++) sample[k] = values[Math.floor(random.random() * values.length)];
      results.push(statistic(sample));
    }
  }
  return sampleDeviation(results);
}

/** Scores of one number for each document, with a bootstrapped standard error. */
function bootstrapped(score: (values: readonly number[]) => number): Omit<Aggregation, "name"> {
  return {
    values: "number",
    score: (values) => score(values as readonly number[]),
    standardError: (values, resamples) =>
      values.length < 2 || resamples < 2 ? null : bootstrapStandardError(score, values as readonly number[], resamples),
  };
}

/** Scores of log-likelihoods over their words or bytes. */
function weighted(score: (items: readonly Weighted[]) => number): Omit<Aggregation, "name"> {
  return {
    values: "weighted",
    score: (values) => score(values as readonly Weighted[]),
    standardError: () => null,
  };
}

/** Scores of true and predicted classes, with a bootstrapped standard error. */
function ofClasses(score: (counts: ClassCounts, classes: readonly unknown[]) => number): Omit<Aggregation, "name"> {
  const scorer = (values: readonly SampleMetric[]) => {
    const pairs = values as readonly ClassPair[];
    const classes = [...new Set(pairs.flat())];
    const indices = new Map(classes.map((label, index) => [label, index]));
    const [gold, predicted] = [0, 1].map((side) => Uint32Array.from(pairs, (pair) => indices.get(pair[side])!));
    return (chosen: readonly number[]) => score(countClasses(classes.length, gold, predicted, chosen), classes);
  };
  const places = (values: readonly unknown[]) => [...values.keys()];
  return {
    values: "classes",
    score: (values) => scorer(values)(places(values)),
    standardError: (values, resamples) =>
      values.length < 2 || resamples < 2 ? null : bootstrapStandardError(scorer(values), places(values), resamples),
  };
}

const aggregations: Readonly<Record<string, Omit<Aggregation, "name">>> = {
  mean: {
    values: "number",
    score: (values) => mean(values as readonly number[]),
    standardError: (values) => meanStandardError(values as readonly number[]),
  },
  nanmean: bootstrapped((values) => mean(values.filter((value) => !Number.isNaN(value)))),
  median: bootstrapped((values) => Float64Array.from(values).sort()[Math.floor(values.length / 2)]),
  perplexity: bootstrapped((logLikelihoods) => Math.exp(-mean(logLikelihoods))),
  weighted_perplexity: weighted(weightedPerplexity),
  bits_per_byte: weighted(bitsPerByte),
  // Of class 1, as scikit-learn's default.
  f1: ofClasses((counts, classes) => (classes.includes(1) ? f1Score(counts, classes.indexOf(1)) : 0)),
  matthews_corrcoef: ofClasses(matthewsCorrelation),
  brier_score: {
    values: "probabilities",
    score: (values) => mean((values as readonly Probabilities[]).map(brierScore)),
    standardError: () => null,
  },
  // lm-evaluation-harness's placeholder where nothing is judged.
  bypass: { values: "any", score: () => 999, standardError: () => null },
};

/** @throws {TaskRuleError} */
export function namedAggregation(name: string | FunctionName): Aggregation {
  if (name instanceof FunctionName) {
    const score = namedFunction("aggregation", name.name);
    return { name: name.name, values: "any", score, standardError: () => null };
  }
  if (Object.hasOwn(aggregations, name)) return { name, ...aggregations[name] };
  const names = Object.keys(aggregations);
  throw new TaskRuleError(`unknown aggregation "${name}"${nearestHint(name, names)} (there are ${names.join(", ")})`);
}

/** True if the values are what the aggregation takes. */
export function canAggregate({ values: kind }: Aggregation, values: readonly SampleMetric[]): boolean {
  return values.every(valueKinds[kind]);
}
