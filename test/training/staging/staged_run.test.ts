/** Runs in stages: killed within one they go on to the same bits, and they end on the grid of the configuration. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  metricsOf,
  newestCheckpointBytes,
  openTrainer,
  prepareTinyRun,
  reproducibleMetrics,
  type TinyRun,
} from "../../support/tiny_run.ts";

const steps = 8;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "staging-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function prepare(staging: string): Promise<TinyRun> {
  return prepareTinyRun(folder, [
    `quantization.staging=${staging}`,
    `training.max_steps=${steps}`,
    "training.checkpoint_every=2",
    "training.log_every=1",
    "training.backward_precision=int8",
  ]);
}

/** Trains in a folder of that name, stopped and opened again at each of `stops`. */
async function train(run: TinyRun, name: string, stops: readonly number[]): Promise<string> {
  const directory = path.join(folder, name);
  for (const stop of [...stops, steps]) {
    const controller = new AbortController();
    const trainer = await openTrainer(run, directory);
    const onStep = (step: number) => {
      if (step === stop) controller.abort();
    };
    await trainer.run({ listener: { onStep }, signal: controller.signal });
    trainer.dispose();
  }
  return directory;
}

function expectSameRun(got: string, wanted: string): void {
  expect(reproducibleMetrics(got)).toEqual(reproducibleMetrics(wanted));
  const [gotBytes, wantedBytes] = [newestCheckpointBytes(got), newestCheckpointBytes(wanted)];
  for (const name of Object.keys(wantedBytes)) expect(gotBytes[name].equals(wantedBytes[name]), name).toBe(true);
}

describe("float first", () => {
  it("resumes to the same bits on either side of the switch, and says which side a step was on", async () => {
    const run = await prepare("{type: float_first, fraction: 0.5, optimizer: reset}");
    const whole = await train(run, "float whole", []);
    expectSameRun(await train(run, "float stopped", [1, 4, 5]), whole);
    const rows = metricsOf(whole);
    expect(rows.map((row) => row.stage)).toEqual([...Array(4).fill("float"), ...Array(4).fill("final")]);
    expect(rows.map((row) => row.backward_precision)).toEqual([...Array(4).fill("f32"), ...Array(4).fill("int8")]);
    expect(rows.map((row) => row.zero_fraction !== undefined)).toEqual(rows.map((row) => row.stage === "final"));

    const kept = await train(await prepare("{type: float_first, fraction: 0.5}"), "float kept", []);
    const losses = (directory: string) => metricsOf(directory).map((row) => row.loss);
    // The step at the switch is the first that the optimizer's state changes.
    expect(losses(kept).slice(0, 5)).toEqual(losses(whole).slice(0, 5));
    expect(losses(kept)[5]).not.toBe(losses(whole)[5]);
    await run.dataset.close();
  });
});
