/** The metrics that a task file can name, with the defaults of lm-evaluation-harness 0.4 (`register_metric`). */
import type { OutputType } from "../schema/task_schema.ts";

export interface MetricDefinition {
  /** Tasks that have it without `process_results`. */
  outputTypes: readonly OutputType[];
  /** Unless the task file names another. */
  aggregation: string;
  higherIsBetter: boolean;
}

const choices: readonly OutputType[] = ["multiple_choice"];
const whole: readonly OutputType[] = ["loglikelihood_rolling"];

export const metricDefinitions: Readonly<Record<string, MetricDefinition>> = {
  acc: { outputTypes: ["multiple_choice", "loglikelihood"], aggregation: "mean", higherIsBetter: true },
  acc_norm: { outputTypes: choices, aggregation: "mean", higherIsBetter: true },
  acc_bytes: { outputTypes: choices, aggregation: "mean", higherIsBetter: true },
  acc_mutual_info: { outputTypes: choices, aggregation: "mean", higherIsBetter: true },
  exact_match: { outputTypes: ["multiple_choice", "generate_until"], aggregation: "mean", higherIsBetter: true },
  f1: { outputTypes: ["multiple_choice", "generate_until"], aggregation: "f1", higherIsBetter: true },
  mcc: { outputTypes: ["multiple_choice", "generate_until"], aggregation: "matthews_corrcoef", higherIsBetter: true },
  brier_score: { outputTypes: choices, aggregation: "brier_score", higherIsBetter: false },
  perplexity: { outputTypes: ["loglikelihood"], aggregation: "perplexity", higherIsBetter: false },
  word_perplexity: { outputTypes: whole, aggregation: "weighted_perplexity", higherIsBetter: false },
  byte_perplexity: { outputTypes: whole, aggregation: "weighted_perplexity", higherIsBetter: false },
  bits_per_byte: { outputTypes: whole, aggregation: "bits_per_byte", higherIsBetter: false },
  bypass: { outputTypes: ["generate_until"], aggregation: "bypass", higherIsBetter: true },
};

/** Metrics of tasks whose file has no `metric_list`. */
export const defaultMetrics: Readonly<Record<OutputType, readonly string[]>> = {
  multiple_choice: ["acc", "acc_norm"],
  loglikelihood: ["perplexity", "acc"],
  loglikelihood_rolling: ["word_perplexity", "byte_perplexity", "bits_per_byte"],
  generate_until: ["exact_match"],
};

/** Of scores that a function gives under a name of its own (`pass@1`): the mean, higher is better. */
export function metricDefinition(name: string): Omit<MetricDefinition, "outputTypes"> {
  return Object.hasOwn(metricDefinitions, name)
    ? metricDefinitions[name]
    : { aggregation: "mean", higherIsBetter: true };
}
