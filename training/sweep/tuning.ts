/** Which value of the tuned parameter each arm takes: that of its best run, over seeds that decide nothing else. */
import type { Arm } from "./arm_names.ts";
import type { PlannedRun, SweepPlan } from "./plan.ts";
import { metricValue, type RunState } from "./run_state.ts";
import type { Tune } from "./sweep_schema.ts";
import { chooseTuned, meanOrNull, type TunedValue } from "./tuned_value.ts";

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
