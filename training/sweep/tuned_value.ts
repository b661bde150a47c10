/** The value of the tuned parameter that an arm takes: that of its best run. */
import { compareValues } from "./run_state.ts";
import type { Metric } from "./sweep_schema.ts";

export interface TunedValue {
  value: number;
  /** The best lies at this end of the values that were tried: a better one may lie beyond. */
  edge: "lowest" | "highest" | null;
  /** Mean of the metric over the seeds, of every value; null where a run failed. */
  tried: TriedValue[];
}

/** Mean; null if one is missing. */
export function meanOrNull(values: readonly (number | null)[]): number | null {
  let sum = 0;
  for (const value of values) {
    if (value === null) return null;
    sum += value;
  }
  return values.length === 0 ? null : sum / values.length;
}

/** @param tried values in any order, at least one */
export function chooseTuned(tried: TunedValue["tried"], metric: Metric): TunedValue {
  const ascending = [...tried].sort((a, b) => a.value - b.value);
  const [best] = [...ascending].sort((a, b) => compareValues(a.metric, b.metric, metric));
  const index = ascending.indexOf(best);
  const edge = index === 0 ? "lowest" : index === ascending.length - 1 ? "highest" : null;
  return { value: best.value, edge: ascending.length === 1 ? null : edge, tried: ascending };
}

/** A run of a value. */
export interface TriedValue {
  value: number;
  metric: number | null;
}

/** Means over the runs of each value. */
export function meansByValue(runs: readonly TriedValue[]): TriedValue[] {
  return [...new Set(runs.map(({ value }) => value))].map((value) => ({
    value,
    metric: meanOrNull(runs.filter((run) => run.value === value).map(({ metric }) => metric)),
  }));
}
