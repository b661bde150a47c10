/** Runs in stages and with corrections: killed within one they go on to the same bits, and they end on the final grid. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadCausalLM, openCheckpoint } from "../../../src/checkpoint/checkpoint.ts";
import { matchRun } from "../../../training/match_run.ts";
import { RunDirectory } from "../../../training/run_directory.ts";
import { validate } from "../../../training/validation.ts";
import { expectSameRun, metricsOf, prepareTinyRun, type TinyRun, trainUntil } from "../../support/tiny_run.ts";

const steps = 6;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "staging-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function prepare(keys: Record<string, string>): Promise<TinyRun> {
  return prepareTinyRun(folder, [
    ...Object.entries(keys).map(([key, value]) => `quantization.${key}=${value}`),
    `training.max_steps=${steps}`,
    "training.checkpoint_every=0",
    "training.eval_batches=1",
    "training.log_every=1",
    "training.backward_precision=int8",
  ]);
}

/** Trains in a folder of that name, stopped and opened again at each of `stops`. */
async function train(run: TinyRun, name: string, stops: readonly number[]): Promise<string> {
  const directory = path.join(folder, name);
  for (const stop of [...stops, steps]) await trainUntil(run, directory, stop);
  return directory;
}

const numbersOf = (directory: string, key: "loss" | "flip_rate") => metricsOf(directory).map((row) => row[key]);

describe("float first", () => {
  it("resumes to the same bits on either side of the switch, and says which side a step was on", async () => {
    const run = await prepare({ staging: "{type: float_first, fraction: 0.5, optimizer: reset}" });
    const whole = await train(run, "float whole", []);
    expectSameRun(await train(run, "float stopped", [3, 4]), whole);
    const rows = metricsOf(whole);
    expect(rows.map((row) => row.stage)).toEqual([...Array(3).fill("float"), ...Array(3).fill("final")]);
    expect(rows.map((row) => row.backward_precision)).toEqual([...Array(3).fill("f32"), ...Array(3).fill("int8")]);
    expect(rows.map((row) => row.zero_fraction !== undefined)).toEqual(rows.map((row) => row.stage === "final"));

    const other = await prepare({ staging: "{type: float_first, fraction: 0.5}" });
    const kept = await train(other, "float kept", []);
    // The step at the switch is the first that the optimizer's state changes.
    expect(numbersOf(kept, "loss").slice(0, 4)).toEqual(numbersOf(whole, "loss").slice(0, 4));
    expect(numbersOf(kept, "loss")[4]).not.toBe(numbersOf(whole, "loss")[4]);
    await run.dataset.close();
    await other.dataset.close();
  });
});

describe.each<{ name: string; keys: Record<string, string> }>([
  {
    name: "hestia, trust, cage",
    keys: { staging: "hestia", straight_through: "trust", correction: "{type: cage, silence: 0.4}" },
  },
  {
    name: "lambda, winq",
    keys: { staging: "{type: lambda, fraction: 0.7}", correction: "{type: winq, every: 2, noise: 0.01}" },
  },
])("$name", ({ name, keys }) => {
  it("resumes to the same bits within a stage, and its last validation is that of the checkpoint", async () => {
    const run = await prepare(keys);
    const whole = await train(run, `${name} whole`, []);
    expectSameRun(await train(run, `${name} stopped`, [3]), whole);
    const rows = metricsOf(whole);
    expect(rows[2].stage).toBe(keys.staging.includes("lambda") ? "lambda" : "hestia");
    expect(rows[2].stage_value).toBeGreaterThan(0);
    expect(rows[2].backward_precision).toBe("f32");
    expect(rows.at(-1)).toMatchObject({ stage: "final", backward_precision: "int8" });
    expect(rows.at(-1)!.loss).toBeLessThan(rows[0].loss);
    const longer = { ...run.config, training: { ...run.config.training, max_steps: 9 } };
    expect(matchRun(longer, new RunDirectory(whole)).remarks[0]).toBe(
      "quantization.staging goes by the fraction of the run: from step 7 on, by that of 9 steps, not 6",
    );

    const checkpoint = await openCheckpoint(whole);
    const model = await loadCausalLM(checkpoint);
    const { batch_size: batchSize } = run.config.training;
    const { loss } = await validate(model, run.dataset.validationBatches({ batchSize, limit: 1 }));
    expect(loss).toBe(rows.at(-1)!.val_loss);
    model.dispose();
    await checkpoint.tensors.close();
    await run.dataset.close();
  });
});

describe("dqt", () => {
  it("keeps every weight on a grid of three values, moves some, and resumes to the same bits", async () => {
    const run = await prepare({ correction: "dqt" });
    const whole = await train(run, "dqt whole", []);
    expectSameRun(await train(run, "dqt stopped", [3]), whole);
    const checkpoint = await openCheckpoint(whole);
    const weights = await checkpoint.tensors.readFloat32("model.layers.0.mlp.up_proj.weight");
    const magnitudes = new Set(weights.map(Math.abs));
    expect(magnitudes.size).toBe(2);
    expect(magnitudes).toContain(0);
    await checkpoint.tensors.close();
    expect(Math.min(...numbersOf(whole, "flip_rate").map(Number))).toBeGreaterThan(0.001);
    await run.dataset.close();
  });
});
