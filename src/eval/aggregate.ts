/** From the metrics of the samples to the scores of a task. */
import type { Sample } from "./request/sample.ts";
import type { SampleMetric } from "./schema/sample_metric.ts";
import { type Aggregation, namedAggregation } from "./score/aggregations.ts";
import { metricDefinition } from "./score/metric_registry.ts";
import type { Metric } from "./task/task.ts";

export interface Score {
  metric: string;
  filter: string;
  value: number;
  /** Standard error; null where there is none (weighted perplexities, a single sample). */
  standardError: number | null;
  higherIsBetter: boolean;
}

/** lm-evaluation-harness's number of resamples where the standard error has no formula. */
export const defaultResamples = 100_000;

function ruleOf(name: string, metrics: readonly Metric[]): { aggregation: Aggregation; higherIsBetter: boolean } {
  const named = metrics.find((metric) => metric.name === name);
  if (named !== undefined) return named;
  const { aggregation, higherIsBetter } = metricDefinition(name);
  return { aggregation: namedAggregation(aggregation), higherIsBetter };
}

/** One score for every filter and metric, in the order in which the samples name them. */
export function aggregateSamples(
  samples: readonly Sample[],
  metrics: readonly Metric[],
  resamples: number = defaultResamples,
): Score[] {
  const groups = new Map<string, { metric: string; filter: string; values: SampleMetric[] }>();
  for (const { filter, metrics: values } of samples) {
    for (const [metric, value] of Object.entries(values)) {
      const key = `${metric},${filter}`;
      const group = groups.get(key) ?? { metric, filter, values: [] };
      group.values.push(value);
      groups.set(key, group);
    }
  }
  return [...groups.values()].map(({ metric, filter, values }) => {
    const rule = ruleOf(metric, metrics);
    return {
      metric,
      filter,
      value: rule.aggregation.score(values),
      standardError: rule.aggregation.standardError(values, resamples),
      higherIsBetter: rule.higherIsBetter,
    };
  });
}
