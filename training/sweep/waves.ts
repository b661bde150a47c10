/**
 * What a sweep runs next. A pure function of the plan and of what lies in the folders: a sweep that was killed asks again,
 * and goes on where it was.
 */
import type { Arm } from "./arm_names.ts";
import type { PlannedRun, SweepPlan } from "./plan.ts";
import { compareValues, isSettled, metricValue, type RunState } from "./run_state.ts";
import { rungSteps, survivorCount } from "./rungs.ts";
import { meanOrNull, type TunedValue } from "./tuned_value.ts";
import { tuneArm } from "./tuning.ts";

export interface WantedRun {
  run: PlannedRun;
  /** Pause after this update; the last one ends the run. */
  untilStep: number;
}

export interface SweepOutlook {
  /** All that is wanted now, in order, settled runs included; they need one another's ends. */
  wanted: WantedRun[];
  /** Those of them that are not settled. Empty: the sweep is done. */
  open: WantedRun[];
  /** Of each arm, once it is known. */
  tuned: Map<string, TunedValue>;
  /** Arms that do not go on, and the step at which that was decided. */
  stopped: Map<string, number>;
}

export type StateOf = (run: PlannedRun) => RunState;

/** @param earlier values found by an earlier sweep, by arm (`tune: {from}`) */
export function sweepOutlook(
  plan: SweepPlan,
  stateOf: StateOf,
  earlier: ReadonlyMap<string, TunedValue>,
): SweepOutlook {
  const { tune } = plan.sweep;
  const tuned = new Map<string, TunedValue>(earlier);
  const isOpen = ({ run, untilStep }: WantedRun) => !isSettled(stateOf(run), untilStep);
  const tuning = (tune?.values === undefined ? [] : plan.arms).flatMap((arm) => {
    const { runs, chosen } = tuneArm(plan, tune!, arm, stateOf);
    const whole = runs.map((run) => ({ run, untilStep: run.config.training.max_steps }));
    if (!whole.some(isOpen)) tuned.set(arm.name, chosen);
    return whole;
  });
  const stopped = new Map<string, number>();
  const isTuned = !tuning.some(isOpen);
  const wanted = isTuned ? tuning.concat(finalRuns(plan, stateOf, tuned, stopped)) : tuning;
  return { wanted, open: wanted.filter(isOpen), tuned, stopped };
}

interface ArmRuns {
  arm: Arm;
  runs: PlannedRun[];
  /** Steps of the rungs, then the last. */
  rungs: number[];
}

/** Runs up to the rung that is not settled yet, or to their ends. */
function finalRuns(
  plan: SweepPlan,
  stateOf: StateOf,
  tuned: ReadonlyMap<string, TunedValue>,
  stopped: Map<string, number>,
): WantedRun[] {
  const { early_terminate: halving, metric } = plan.sweep;
  let arms = plan.arms.map((arm): ArmRuns => {
    const runs = plan.seeds.map((seed) => plan.run(arm, seed, "final", tuned.get(arm.name)?.value));
    const [{ config }] = runs;
    const rungs = halving === undefined ? [] : rungSteps(config, plan.baseConfig, halving);
    return { arm, runs, rungs: [...rungs, config.training.max_steps] };
  });
  let wanted: WantedRun[] = [];
  for (let rung = 0; rung < arms[0].rungs.length; rung++) {
    const upTo = arms.flatMap(({ runs, rungs }) => runs.map((run) => ({ run, untilStep: rungs[rung] })));
    const isLast = rung === arms[0].rungs.length - 1;
    if (isLast || halving === undefined || upTo.some(({ run, untilStep }) => !isSettled(stateOf(run), untilStep))) {
      // Seed by seed: whoever looks in the middle finds arms that can be compared.
      return [...wanted, ...upTo].sort((a, b) => plan.seeds.indexOf(a.run.seed) - plan.seeds.indexOf(b.run.seed));
    }
    const score = ({ runs, rungs }: ArmRuns) =>
      meanOrNull(runs.map((run) => metricValue(stateOf(run), metric, rungs[rung])));
    const ranked = arms
      .map((arm) => ({ arm, score: score(arm) }))
      .sort((a, b) => compareValues(a.score, b.score, metric));
    const kept = ranked.slice(0, survivorCount(arms.length, halving.eta)).map(({ arm }) => arm.arm.name);
    const goesOn = ({ arm }: ArmRuns) => kept.includes(arm.name) || arm.name === plan.baseline;
    for (const each of arms.filter((arm) => !goesOn(arm))) {
      stopped.set(each.arm.name, each.rungs[rung]);
      wanted = wanted.concat(each.runs.map((run) => ({ run, untilStep: each.rungs[rung] })));
    }
    arms = arms.filter(goesOn);
  }
  return wanted;
}
