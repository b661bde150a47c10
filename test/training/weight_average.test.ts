/** The average of the weights: its formula, its loss in the metrics, and the same bits after resuming, with dropout. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { modelConfigSchema, resolveModelConfig } from "../../src/config/model_config.ts";
import { CausalLM } from "../../src/model/causal_lm.ts";
import { finalNormName } from "../../src/model/parameters.ts";
import { WeightAverage } from "../../training/weight_average.ts";
import {
  expectSameRun,
  metricsOf,
  newestCheckpointBytes,
  openTrainer,
  prepareTinyRun,
  type TinyRun,
  trainUntil,
} from "../support/tiny_run.ts";

const folder = mkdtempSync(path.join(tmpdir(), "average-"));
let run: TinyRun;

beforeAll(async () => {
  const sets = ["training.max_steps=4", "training.eval_every=2", "training.ema_decay=0.5", "training.dropout=0.1"];
  run = await prepareTinyRun(folder, sets);
});
afterAll(async () => {
  await run.dataset.close();
  rmSync(folder, { recursive: true, force: true });
});

async function train(name: string, stopAt?: number): Promise<string> {
  const directory = path.join(folder, name);
  await trainUntil(run, directory, stopAt);
  return directory;
}

it("follows the weights by its decay, from the initial ones", () => {
  const config = resolveModelConfig(
    modelConfigSchema.parse({
      hidden_size: 8,
      num_hidden_layers: 1,
      intermediate_size: 8,
      num_attention_heads: 1,
      num_key_value_heads: 1,
      vocab_size: 4,
    }),
  );
  const model = new CausalLM(config, { seed: 1 });
  const average = new WeightAverage(model, 0.25);
  const tensors = tf.memory().numTensors;
  const norm = model.parameters.get(finalNormName)!;
  const set = (value: number) => tf.tidy(() => norm.assign(tf.fill(norm.shape, value)));
  const values = () => average.model.parameters.get(finalNormName)!.dataSync()[0];
  expect(values()).toBe(1);
  set(3);
  average.update(model, 1);
  // (1 + 1) / (10 + 1) is below 0.25.
  expect(values()).toBeCloseTo((2 / 11) * 1 + (9 / 11) * 3, 6);
  set(5);
  average.update(model, 8);
  expect(values()).toBeCloseTo(0.25 * (2 / 11 + 27 / 11) + 0.75 * 5, 6);
  expect(tf.memory().numTensors).toBe(tensors);
  average.dispose();
  model.dispose();
});

it("has a validation loss of its own, and is resumed to the same bits", async () => {
  const whole = await train("whole");
  await train("stopped", 3);
  const stopped = await train("stopped");
  expectSameRun(stopped, whole);

  const rows = metricsOf(whole);
  expect(rows.map((row) => row.val_loss_ema !== undefined)).toEqual([false, true, false, true]);
  // While the loss falls, an average is behind.
  expect(rows.at(-1)!.val_loss_ema).toBeGreaterThan(rows.at(-1)!.val_loss!);
  expect(rows.at(-1)!.val_loss_ema).toBeLessThan(rows[0].loss);
});

it("changes nothing of what is trained; dropout does", async () => {
  const weights = async (training: object) => {
    const config = { ...run.config, training: { ...run.config.training, ...training } };
    const trainer = await openTrainer({ ...run, config }, path.join(folder, JSON.stringify(training)));
    await trainer.run();
    const directory = path.join(folder, JSON.stringify(training));
    trainer.dispose();
    return { model: newestCheckpointBytes(directory).model, row: metricsOf(directory).at(-1)! };
  };
  const averaged = newestCheckpointBytes(path.join(folder, "whole"));
  expect((await weights({ ema_decay: 0 })).model.equals(averaged.model)).toBe(true);
  const without = await weights({ ema_decay: 0, dropout: 0 });
  expect(without.model.equals(averaged.model)).toBe(false);
  expect(without.row.val_loss_ema).toBeUndefined();
});
