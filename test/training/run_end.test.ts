/** How a run ends: its last row where the schedule falls to 0, and the checkpoint of a step that has one anyway. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { metricsOf, openTrainer, prepareTinyRun, type TinyRun } from "../support/tiny_run.ts";

let folder: string;
let run: TinyRun;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "run-end-"));
  run = await prepareTinyRun(folder, [
    "training.max_steps=6",
    "training.log_every=3",
    "training.eval_every=0",
    "training.checkpoint_every=2",
    "schedule.min_ratio=0",
  ]);
});
afterAll(async () => {
  await run.dataset.close();
  rmSync(folder, { recursive: true, force: true });
});

it("after an update with a learning rate of 0 the row tells how the one before moved the weights", async () => {
  const directory = path.join(folder, "whole");
  const trainer = await openTrainer(run, directory);
  await trainer.run();
  trainer.dispose();
  const rows = metricsOf(directory);
  expect(rows.map(({ step, learning_rate }) => [step, learning_rate > 0])).toEqual([
    [3, true],
    [6, false],
  ]);
  for (const { flip_rate, zero_fraction } of rows) {
    expect(flip_rate).toBeGreaterThan(0);
    expect(zero_fraction).toBeGreaterThan(0.2);
  }
});

it("a run that is stopped on a step with a checkpoint writes it once", async () => {
  const told: number[] = [];
  const controller = new AbortController();
  const trainer = await openTrainer(run, path.join(folder, "stopped"));
  const listener = {
    onStep: (step: number) => (step === 4 ? controller.abort() : undefined),
    onCheckpoint: (step: number) => told.push(step),
  };
  expect(await trainer.run({ listener, signal: controller.signal })).toBe("interrupted");
  trainer.dispose();
  expect(told).toEqual([2, 4]);
});
