/** From the metrics of the samples to the scores of a task. */
import { bitsPerByte, mean, meanStandardError, type WeightedLogLikelihood, weightedPerplexity } from "./metrics.ts";
import type { Sample, SampleMetric } from "./sample.ts";

export interface Score {
  metric: string;
  filter: string;
  value: number;
  /** Standard error; null where there is none (perplexities, a single sample). */
  standardError: number | null;
  higherIsBetter: boolean;
}

const weightedAggregations: Record<string, (items: readonly WeightedLogLikelihood[]) => number> = {
  word_perplexity: weightedPerplexity,
  byte_perplexity: weightedPerplexity,
  bits_per_byte: bitsPerByte,
};

function aggregate(metric: string, filter: string, values: readonly SampleMetric[]): Score {
  const weighted = weightedAggregations[metric];
  if (weighted) {
    const items = (values as readonly (readonly [number, number])[]).map(([logLikelihood, weight]) => ({
      logLikelihood,
      weight,
    }));
    return { metric, filter, value: weighted(items), standardError: null, higherIsBetter: false };
  }
  const numbers = values as readonly number[];
  return {
    metric,
    filter,
    value: mean(numbers),
    standardError: meanStandardError(numbers),
    higherIsBetter: true,
  };
}

/** One score for every filter and metric, in the order in which the samples name them. */
export function aggregateSamples(samples: readonly Sample[]): Score[] {
  const groups = new Map<string, { metric: string; filter: string; values: SampleMetric[] }>();
  for (const { filter, metrics } of samples) {
    for (const [metric, value] of Object.entries(metrics)) {
      const key = `${metric},${filter}`;
      const group = groups.get(key) ?? { metric, filter, values: [] };
      group.values.push(value);
      groups.set(key, group);
    }
  }
  return [...groups.values()].map(({ metric, filter, values }) => aggregate(metric, filter, values));
}
