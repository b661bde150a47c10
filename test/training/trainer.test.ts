/** The training loop on a tiny model: same bits after resuming, checkpoints, metrics, and what stops it. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadAddon } from "../../native/addon.ts";
import { openCheckpoint } from "../../src/checkpoint/checkpoint.ts";
import { temporaryPath } from "../../src/files/leftovers.ts";
import { RunDirectory } from "../../training/run_directory.ts";
import { NonFiniteError } from "../../training/train_step.ts";
import { latestCheckpoint } from "../../training/training_checkpoint.ts";
import { TrainingRun } from "../../training/training_run.ts";
import { hasNative } from "../support/tfjs_backends.ts";
import {
  expectSameRun,
  metricsOf,
  openTrainer,
  prepareTinyRun,
  type TinyRun,
  trainUntil,
} from "../support/tiny_run.ts";

const steps = 9;
const sets = [
  `training.max_steps=${steps}`,
  "training.checkpoint_every=2",
  "training.eval_every=4",
  "training.log_every=3",
  "training.gradient_accumulation_steps=2",
  "training.sample_every=4",
  "training.sample_max_tokens=3",
];

let folder: string;
let run: TinyRun;
/** Folder of a run that nothing interrupted. */
let whole: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "trainer-"));
  run = await prepareTinyRun(folder, sets);
  whole = path.join(folder, "whole");
  const trainer = await openTrainer(run, whole);
  expect(await trainer.run()).toBe("finished");
  trainer.dispose();
});

afterAll(async () => {
  await run.dataset.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Trains in `directory` until `stopAt` steps are done, as Ctrl-C would stop it. */
/** @returns the steps of the checkpoints that were told. */
async function checkpointsUntil(directory: string, stopAt: number): Promise<number[]> {
  const checkpoints: number[] = [];
  const onCheckpoint = (step: number) => {
    checkpoints.push(step);
  };
  expect(await trainUntil(run, directory, stopAt, { onCheckpoint })).toBe(Math.min(stopAt, steps));
  return checkpoints;
}

function expectWhole(directory: string): void {
  expectSameRun(directory, whole);
  expect(readFileSync(path.join(directory, "samples.jsonl"))).toEqual(readFileSync(path.join(whole, "samples.jsonl")));
}

describe("a resumed run", () => {
  it("ends in the bits of an uninterrupted one, wherever it was interrupted", async () => {
    const directory = path.join(folder, "interrupted");
    const told: number[][] = [];
    for (const stopAt of [1, 4, 5, steps]) told.push(await checkpointsUntil(directory, stopAt));
    expectWhole(directory);
    // Each once, also where a checkpoint was due when it was stopped.
    expect(told).toEqual([[1], [2, 4], [5], [6, 8, 9]]);
  });

  it.runIf(hasNative)("does so on another number of threads", async () => {
    const directory = path.join(folder, "threads");
    const before = loadAddon().threads();
    try {
      loadAddon().setThreads(1);
      await checkpointsUntil(directory, 3);
      loadAddon().setThreads(3);
      await checkpointsUntil(directory, steps);
    } finally {
      loadAddon().setThreads(before);
    }
    expectWhole(directory);
  });

  it("goes back to the last checkpoint and writes later metrics again", async () => {
    const directory = path.join(folder, "crashed");
    await checkpointsUntil(directory, 4);
    const rows = metricsOf(directory);
    // A process that died after step 5: rows beyond the checkpoint, the last one cut off.
    const extra = JSON.stringify({ ...rows.at(-1), step: 5 });
    const lines = [...rows.map((row) => JSON.stringify(row)), extra, extra.slice(0, 20)];
    writeFileSync(path.join(directory, "metrics.jsonl"), lines.join("\n"));
    await checkpointsUntil(directory, steps);
    expectWhole(directory);
  });

  it("says that int8 draws other numbers than the version that began the run", async () => {
    const directory = path.join(folder, "earlier");
    await checkpointsUntil(directory, 4);
    const file = path.join(latestCheckpoint(new RunDirectory(directory).checkpoints)!, "trainer.json");
    const { roundingKeys: _, ...earlier } = JSON.parse(readFileSync(file, "utf8"));
    const noteOf = async (precision: "f32" | "int8") => {
      const training = { ...run.config.training, backward_precision: precision };
      const config = { ...run.config, training };
      const trainer = new TrainingRun({ ...run, config, directory: new RunDirectory(directory) });
      const note = await trainer.resume();
      trainer.dispose();
      return note;
    };
    expect(await noteOf("int8")).toBeNull();
    writeFileSync(file, JSON.stringify(earlier));
    expect(await noteOf("int8")).toMatch(/^int8 rounding draws are keyed by layer now/);
    expect(await noteOf("f32")).toBeNull();
  });

  it("refuses other data", async () => {
    const other = await prepareTinyRun(folder, [...sets, "data.world_seed=2"]);
    await expect(openTrainer(other, whole)).rejects.toThrow(/the data has changed/);
    await other.dataset.close();
  });
});

describe("a run directory", () => {
  it("keeps the newest checkpoints, and nothing half-written", () => {
    const names = readdirSync(path.join(whole, "checkpoints")).sort();
    expect(names).toEqual(["latest", "step-00000008", "step-00000009"]);
    expect(existsSync(path.join(whole, "loss.png"))).toBe(true);
  });

  it("opens as a checkpoint: the newest one", async () => {
    const checkpoint = await openCheckpoint(whole);
    expect(path.basename(checkpoint.directory)).toBe("step-00000009");
    expect(checkpoint.tokenizer!.hash).toBe(run.tokenizer.hash);
    await checkpoint.tensors.close();
  });

  it("is cleaned of what a process that died was writing", async () => {
    const directory = path.join(folder, "leftovers");
    await checkpointsUntil(directory, 2);
    const checkpoints = path.join(directory, "checkpoints");
    for (const [name, way] of [
      ["step-00000004", "new"],
      ["step-00000002", "old"],
      ["latest", "new"],
    ] as const) {
      // Above the largest process id that Linux gives.
      writeFileSync(temporaryPath(path.join(checkpoints, name), way).replace(`-${process.pid}-`, "-4194305-"), "");
    }
    (await openTrainer(run, directory)).dispose();
    expect(readdirSync(path.join(directory, "checkpoints")).sort()).toEqual(["latest", "step-00000002"]);
  });
});

describe("metrics", () => {
  it("have a row at every due step, with the values that belong to it", () => {
    const rows = metricsOf(whole);
    expect(rows.map(({ step }) => step)).toEqual([3, 4, 6, 8, 9]);
    expect(rows.filter((row) => row.val_loss !== undefined).map(({ step }) => step)).toEqual([4, 8, 9]);
    for (const row of rows) {
      expect(row.tokens).toBe(row.step * 4 * 32 * 2);
      expect(row.zero_fraction).toBeGreaterThan(0.2);
      expect(row.zero_fraction).toBeLessThan(0.5);
      expect(row.flip_rate).toBeGreaterThan(0);
      expect(row.grad_norm).toBeGreaterThan(0);
      expect(row.weight_decay).toBe(0.1);
      expect(row.tokens_per_second).toBeGreaterThan(0);
    }
    // One byte a token, bar end-of-text: bits per byte is a little above nats / ln 2.
    const [row] = rows.filter(({ val_loss }) => val_loss !== undefined);
    expect(row.bits_per_byte! / (row.val_loss! / Math.LN2)).toBeGreaterThanOrEqual(1);
    expect(row.bits_per_byte! / (row.val_loss! / Math.LN2)).toBeLessThan(1.05);
    expect(rows.at(-1)!.loss).toBeLessThan(rows[0].loss);
  });

  it.runIf(hasNative)("name the kernel variant that ran: the best one of this machine", () => {
    const best = loadAddon()
      .features()
      .variants.filter(({ supported }) => supported)
      .at(-1)!.name;
    const wanted = process.env.BITNET_ISA || best;
    for (const row of metricsOf(whole)) expect(row).toMatchObject({ backend: "native", kernel: wanted });
  });

  it.runIf(hasNative)("give a silent fallback away, of any part", async () => {
    const kernel = tf.getKernel("RMSNorm", "native");
    tf.unregisterKernel("RMSNorm", "native");
    try {
      const directory = path.join(folder, "fallback");
      await checkpointsUntil(directory, 3);
      expect(metricsOf(directory).map((row) => row.kernel)).toEqual([`${loadAddon().variant()} (composed: RMSNorm)`]);
    } finally {
      tf.registerKernel(kernel);
    }
  });
});

describe("a run that diverges", () => {
  it("stops with the step, keeps the last good checkpoint and says which it is", async () => {
    const diverging = await prepareTinyRun(folder, [
      ...sets,
      "optimizer.learning_rate=1e38",
      "schedule.warmup_steps=0",
      "training.checkpoint_every=1",
      "model.weight_quantizer=none",
      "model.activation_quantizer=none",
    ]);
    const directory = path.join(folder, "diverging");
    const trainer = await openTrainer(diverging, directory);
    const failure = await trainer.run().catch((error) => error);
    expect(failure).toBeInstanceOf(NonFiniteError);
    expect(failure.message).toMatch(/^step \d+: the (loss|gradient norm) is .*last good checkpoint is .*step-0000000/);
    expect(failure.message).not.toContain("\n");
    const checkpoint = await openCheckpoint(directory);
    expect(path.basename(checkpoint.directory)).toBe(`step-0000000${trainer.step}`);
    await checkpoint.tensors.close();
    trainer.dispose();
    await diverging.dataset.close();
  });
});
