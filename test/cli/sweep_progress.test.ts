/** What a sweep shows while it goes: in a window of 80 columns, and where there is none. */
import { expect, test } from "vitest";
import { SweepProgress } from "../../cli/sweep/sweep_progress.ts";
import type { MetricsRow } from "../../training/metrics.ts";
import { armConfig, readBase } from "../../training/sweep/base_recipe.ts";
import type { PlannedRun } from "../../training/sweep/plan.ts";
import { parseSweep } from "../../training/sweep/read_sweep.ts";
import type { RunState } from "../../training/sweep/run_state.ts";
import { plainStream, Screen } from "../support/screen.ts";

const sweep = parseSweep("tune: {values: [1, 2]}", "sweep.yaml");
const config = armConfig(readBase("tiny.yaml", []));
const runs = ["weight_quantizer=absmean_ternary_group_64,batch_size=16", "b", "c"].map(
  (arm): PlannedRun => ({ name: `${arm}-s1`, arm, seed: 1, stage: "final", config }),
);
const at = (step: number, loss: number): RunState => ({
  step,
  failure: null,
  rows: [{ step, val_loss: loss } as MetricsRow],
});

/** One run was done before; one ends, one fails. */
function show(progress: SweepProgress): void {
  const wanted = runs.map((run) => ({ run, untilStep: 20 }));
  const tuned = new Map([["b", { value: 2, edge: "highest" as const, tried: [] }]]);
  const states = [at(20, 2.5), at(0, 0), at(0, 0)];
  progress.onWave({ wanted, open: wanted.slice(1), tuned, stopped: new Map() }, (run) => states[runs.indexOf(run)]);
  progress.onStep(runs[1], 10, 2.75);
  progress.onEnd(wanted[1], at(20, 2.25), null);
  const failure = { step: 11, reason: "step 11: the loss is NaN" };
  progress.onEnd(wanted[2], { step: 10, failure, rows: [] }, null);
  progress.onStep(runs[0], 15, 2.5);
}

const lines = [
  "note: 1 run of 3 done before",
  "note: b: optimizer.learning_rate 2, the highest that was tried: a better one may lie beyond",
  "2/3  b-s1  step 20  val_loss 2.2500",
  "3/3  c-s1  failed: step 11: the loss is NaN",
];

test("lines where there is no terminal", () => {
  const { stream, text } = plainStream();
  const progress = new SweepProgress(stream, sweep);
  show(progress);
  progress.close();
  expect(text().trimEnd().split("\n")).toEqual(lines);
});

test("80 columns hold the runs done, the bar and the time left", async () => {
  const screen = new Screen(80);
  let now = 0;
  const progress = new SweepProgress(screen.stream, sweep, { env: {}, now: () => now++ * 10_000 });
  show(progress);
  await new Promise((resolve) => setTimeout(resolve, 150));
  const rows = await screen.rows();
  expect(rows.filter((row) => row.startsWith("+"))).toEqual([]);
  expect(rows.at(-1)).toMatch(/^sweep {2}█+░* {2}\d+% {2}3\/3 runs/);
  for (const row of rows) expect(row.length).toBeLessThanOrEqual(80);
  progress.close();
});
