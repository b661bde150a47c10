/** Learning rates from an earlier sweep, of which only the results were kept. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { appendRow } from "../../../training/run_directory.ts";
import { readBase } from "../../../training/sweep/base_recipe.ts";
import { earlierTuning } from "../../../training/sweep/earlier_tuning.ts";
import { SweepPlan } from "../../../training/sweep/plan.ts";
import { parseSweep } from "../../../training/sweep/read_sweep.ts";
import { SweepDirectory } from "../../../training/sweep/sweep_directory.ts";

const folder = mkdtempSync(path.join(tmpdir(), "tuning-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const base = readBase("tiny.yaml", []);

/** A sweep whose finished runs have these losses, in the order of the arms. */
function finished(name: string, yaml: string, losses: readonly number[]): string {
  const directory = new SweepDirectory(path.join(folder, name));
  const sweep = parseSweep(yaml, "sweep.yaml");
  const plan = new SweepPlan(sweep, base, () => ({}));
  directory.create();
  directory.writeSweep(sweep);
  const runs = plan.arms.flatMap((arm) => plan.seeds.map((seed) => plan.run(arm, seed, "final")));
  for (const [i, { name: folderName, config }] of runs.entries()) {
    const run = directory.run(folderName);
    run.create();
    run.writeConfig(config);
    rmSync(run.checkpoints, { recursive: true });
    appendRow(run.metricsFile, { step: 20, val_loss: losses[i] });
  }
  directory.writeRecords(
    runs.map(({ name: own, arm, seed, stage }) => ({ name: own, arm, seed, stage, folder: own, steps: 20, until: 20 })),
  );
  return directory.path;
}

const arms = `
method: list
runs: [{name: ternary}, {name: float, model.weight_quantizer: none, model.activation_quantizer: none}]`;
const rates = finished("rates", `${arms}\nseeds: [100]\naxes: {optimizer.learning_rate: [0.001, 0.002, 0.004]}`, [
  ...[3, 2.5, 2.2],
  ...[2.1, 2.0, 2.4],
]);
const planOf = (from: string, seeds: string) =>
  new SweepPlan(parseSweep(`${arms}\nseeds: ${seeds}\ntune: {from: ${from}}`, "sweep.yaml"), base, () => ({}));
const tuningOf = (plan: SweepPlan) => earlierTuning(plan, plan.sweep.tune!);

test("each arm takes the rate of its best run; an edge is told", () => {
  const tuned = tuningOf(planOf(rates, "[1, 2]"));
  expect(tuned.get("ternary")).toMatchObject({ value: 0.004, edge: "highest" });
  expect(tuned.get("float")).toMatchObject({ value: 0.002, edge: null });
});

test("refuses seeds that would be flattered, and arms that are not there", () => {
  expect(() => tuningOf(planOf(rates, "[1, 100]"))).toThrow(/has a seed of this sweep: what it chooses is flattered$/);
  const other = finished("other", "method: list\nruns: [{name: ternary}]\nseeds: [100]", [3]);
  expect(() => tuningOf(planOf(other, "[1]"))).toThrow(`${other}: there is no run of the arm float to take`);
});
