/** Which value of the tuned parameter each arm takes: that of its best run, over seeds that decide nothing else. */
import type { Arm } from "./arm_names.ts";
import type { PlannedRun, SweepPlan } from "./plan.ts";
import { compareValues, metricValue, type RunState } from "./run_state.ts";
import type { Metric, Tune } from "./sweep_schema.ts";

export interface TunedValue {
  value: number;
  /** The best lies at this end of the values that were tried: a better one may lie beyond. */
  edge: "lowest" | "highest" | null;
  /** Mean of the metric over the seeds, of every value; null where a run failed. */
  tried: { value: number; metric: number | null }[];
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

/** The next value beyond an end, by the ratio of the last two; through decimal text, so that 3 * 0.002 is 0.006. */
function beyond(values: readonly number[], edge: "lowest" | "highest"): number {
  const [a, b] = edge === "lowest" ? [values[0], values[1]] : [values.at(-1)!, values.at(-2)!];
  return Number(((a * a) / b).toPrecision(6));
}

export interface TuningStep {
  /** Runs that are needed to go on; empty when the value is known. */
  runs: PlannedRun[];
  chosen: TunedValue;
}

/** What is to be run for an arm, or what was found. */
export function tuneArm(plan: SweepPlan, tune: Tune, arm: Arm, stateOf: (run: PlannedRun) => RunState): TuningStep {
  const { metric } = plan.sweep;
  let values = [...new Set(tune.values ?? [])].sort((a, b) => a - b);
  for (let extension = 0; ; extension++) {
    const runs = values.flatMap((value) => tune.seeds.map((seed) => plan.run(arm, seed, "tune", value)));
    const chosen = chooseTuned(
      values.map((value) => ({
        value,
        metric: meanOrNull(runs.filter(({ tuned }) => tuned === value).map((run) => metricValue(stateOf(run), metric))),
      })),
      metric,
    );
    const isDone = runs.every((run) => {
      const { step, failure } = stateOf(run);
      return failure !== null || step >= run.config.training.max_steps;
    });
    if (!isDone || chosen.edge === null || extension === tune.extend) return { runs, chosen };
    values = [...values, beyond(values, chosen.edge)].sort((a, b) => a - b);
  }
}
