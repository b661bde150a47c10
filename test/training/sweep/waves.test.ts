/** What a sweep runs next: seeds first, tuning before the arms, rungs; always the same for the same folders. */
import { expect, test } from "vitest";
import { parseOverride } from "../../../training/config/overrides.ts";
import type { MetricsRow } from "../../../training/metrics.ts";
import { armConfig, readBase } from "../../../training/sweep/base_recipe.ts";
import { type PlannedRun, SweepPlan } from "../../../training/sweep/plan.ts";
import { parseSweep } from "../../../training/sweep/read_sweep.ts";
import type { RunState } from "../../../training/sweep/run_state.ts";
import { rungSteps } from "../../../training/sweep/rungs.ts";
import { type SweepOutlook, sweepOutlook } from "../../../training/sweep/waves.ts";

/** A sweep whose runs take no time: their loss is `lossOf` at every step; null fails at its step 3. */
class Simulation {
  readonly plan: SweepPlan;
  readonly ran: string[][] = [];
  outlook!: SweepOutlook;
  private readonly states = new Map<string, RunState>();

  constructor(yaml: string, lossOf: (run: PlannedRun, step: number) => number | null) {
    this.plan = new SweepPlan(parseSweep(yaml, "sweep.yaml"), readBase("tiny.yaml", []), () => ({}));
    const stateOf = ({ name }: PlannedRun): RunState => this.states.get(name) ?? { step: 0, failure: null, rows: [] };
    for (;;) {
      this.outlook = sweepOutlook(this.plan, stateOf, new Map());
      const { open } = this.outlook;
      if (open.length === 0) return;
      this.ran.push(open.map(({ run, untilStep }) => `${run.name} to ${untilStep}`));
      for (const { run, untilStep } of open) {
        const rows: Partial<MetricsRow>[] = [];
        let failure: RunState["failure"] = null;
        for (let step = 1; step <= untilStep && failure === null; step++) {
          const loss = lossOf(run, step);
          if (loss === null) failure = { step: 3, reason: "the loss is NaN" };
          else rows.push({ step, val_loss: loss });
        }
        this.states.set(run.name, { step: rows.length, failure, rows: rows as MetricsRow[] });
      }
    }
  }
}

const rateOf = ({ config }: PlannedRun) => config.optimizer.learning_rate;

test("seed by seed over the arms", () => {
  const { ran } = new Simulation("seeds: [1, 2]\naxes: {optimizer.learning_rate: [0.1, 0.2]}", () => 1);
  const [first, second] = ["learning_rate=0.1", "learning_rate=0.2"];
  expect(ran).toEqual([[`${first}-s1 to 20`, `${second}-s1 to 20`, `${first}-s2 to 20`, `${second}-s2 to 20`]]);
});

test("a third of the arms go on at each rung, with their runs of all seeds, and the baseline does", () => {
  const yaml = `
seeds: [1, 2]
early_terminate: {min_iter: 2, eta: 3}
baseline: learning_rate=9
axes: {training.eval_every: [2], optimizer.learning_rate: [1, 2, 3, 4, 5, 6, 7, 8, 9]}`;
  const { ran, outlook } = new Simulation(yaml, (run, step) => rateOf(run) + 1 / step);
  const names = (rates: number[], seed: number, to: number) => rates.map((r) => `learning_rate=${r}-s${seed} to ${to}`);
  expect(ran).toEqual([
    [1, 2].flatMap((seed) => names([1, 2, 3, 4, 5, 6, 7, 8, 9], seed, 2)),
    [1, 2].flatMap((seed) => names([1, 2, 3, 9], seed, 6)),
    [1, 2].flatMap((seed) => names([1, 2, 9], seed, 18)),
    [1, 2].flatMap((seed) => names([1, 9], seed, 20)),
  ]);
  expect(outlook.stopped.get("learning_rate=4")).toBe(2);
  expect(outlook.stopped.get("learning_rate=3")).toBe(6);
  expect(outlook.wanted).toHaveLength(18);
});

test("rungs are shares of the run, at steps that validate", () => {
  const [base, twiceTheBatch] = ["training.max_steps=20", "training.max_steps=10"].map((text) =>
    armConfig(readBase("tiny.yaml", ["training.eval_every=2", text].map(parseOverride))),
  );
  expect(rungSteps(base, base, { type: "successive_halving", min_iter: 3, eta: 3 })).toEqual([4, 10]);
  expect(rungSteps(twiceTheBatch, base, { type: "successive_halving", min_iter: 3, eta: 3 })).toEqual([2, 6]);
});

test("a run that fails is a result: its arm comes last, and the sweep goes on", () => {
  const yaml = "early_terminate: {min_iter: 10, eta: 2}\naxes: {optimizer.learning_rate: [1, 2, 3]}";
  const { ran } = new Simulation(yaml, (run) => (rateOf(run) === 1 ? null : 9 - rateOf(run)));
  expect(ran[1]).toEqual(["learning_rate=2-s0 to 20", "learning_rate=3-s0 to 20"]);
});

test("each arm is given the rate that is best on another seed; one at the edge is continued, and said", () => {
  const yaml = `
seeds: [1, 2]
tune: {values: [0.001, 0.002, 0.004], seeds: [100], extend: 1}
method: list
runs: [{name: inside}, {name: high, optimizer.weight_decay: 0.1}, {name: low, optimizer.weight_decay: 0.2}]`;
  const best = { inside: 0.002, high: 0.02, low: 0.0005 };
  const { ran, outlook } = new Simulation(yaml, (run) =>
    Math.abs(Math.log(rateOf(run) / best[run.arm as keyof typeof best])),
  );
  expect(ran[0]).toHaveLength(9);
  expect(ran[0][0]).toBe("inside,learning_rate=0.001-s100 to 20");
  expect(ran[1]).toEqual(["high,learning_rate=0.008-s100 to 20", "low,learning_rate=0.0005-s100 to 20"]);
  expect(outlook.tuned.get("inside")).toMatchObject({ value: 0.002, edge: null });
  expect(outlook.tuned.get("high")).toMatchObject({ value: 0.008, edge: "highest" });
  expect(outlook.tuned.get("low")).toMatchObject({ value: 0.0005, edge: "lowest" });
  expect(ran[2]).toHaveLength(6);
  const final = outlook.wanted.filter(({ run }) => run.stage === "final");
  expect(final.map(({ run }) => [run.name, rateOf(run)]).slice(0, 3)).toEqual([
    ["inside-s1", 0.002],
    ["high-s1", 0.008],
    ["low-s1", 0.0005],
  ]);
});
