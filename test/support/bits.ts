/** What tests of the law compare: log-likelihoods of the training forward and of the engine on the exported file. */
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll } from "vitest";
import { exportModel } from "../../export/export_model.ts";
import { planExport } from "../../export/export_plan.ts";
import { loadAddon, type NativeAddon } from "../../native/addon.ts";
import { registerNativeBackend } from "../../native/backend/register.ts";
import { Engine } from "../../native/inference/engine.ts";
import type { ModelConfigJson } from "../../src/config/model_config.ts";
import type { ExportType } from "../../src/config/tensor_fit.ts";
import { CounterRng } from "../../src/random/counter_rng.ts";
import { type TrainedModel, trainSmallModel } from "./trained_model.ts";

/**
 * For a file of such tests: the native backend, a folder that is removed at the end, and the variants of this machine, the
 * default one of which is active again then.
 */
export function setUpBits(prefix: string): { folder: string; addon: NativeAddon; variants: string[] } {
  const folder = mkdtempSync(path.join(tmpdir(), prefix));
  const addon = loadAddon();
  const variants = addon.features().variants.filter(({ supported }) => supported);
  beforeAll(async () => {
    registerNativeBackend();
    await tf.setBackend("native");
  });
  afterAll(() => {
    addon.setVariant("");
    rmSync(folder, { recursive: true, force: true });
  });
  return { folder, addon, variants: variants.map(({ name }) => name) };
}

/** Sequences of 1 to 300 predicted tokens, at least `tokens` of them in all. */
export function raggedSequences(ids: Int32Array, tokens: number): Int32Array[] {
  const rng = new CounterRng(3, "ragged");
  const lengths = [1, 300, 2, 17, 16, 15, 299, 33];
  const sequences: Int32Array[] = [];
  for (let start = 0, total = 0; total < tokens; ) {
    const predicted = lengths[sequences.length] ?? 1 + rng.integer(300);
    sequences.push(ids.slice(start, start + predicted + 1));
    start += predicted + 1;
    total += predicted;
  }
  return sequences;
}

/** Log-likelihoods of the training forward, in right-padded batches of a few sequences each. */
export function trainingForward(
  { model }: TrainedModel,
  sequences: readonly Int32Array[],
  rows: number,
): Float32Array[] {
  const all: Float32Array[] = [];
  for (let at = 0; at < sequences.length; at += rows) {
    const batch = sequences.slice(at, at + rows);
    const width = Math.max(...batch.map((ids) => ids.length - 1));
    const inputs = new Int32Array(batch.length * width);
    const targets = new Int32Array(batch.length * width).fill(-1);
    batch.forEach((ids, r) => {
      inputs.set(ids.subarray(0, -1), r * width);
      targets.set(ids.subarray(1), r * width);
    });
    const scores = model.logProbs(
      tf.tensor2d(inputs, [batch.length, width], "int32"),
      tf.tensor2d(targets, [batch.length, width], "int32"),
    );
    const values = scores.logProbs.dataSync() as Float32Array;
    batch.forEach((ids, r) => {
      all.push(values.slice(r * width, r * width + ids.length - 1));
    });
    tf.dispose([scores.logProbs, scores.argmax]);
  }
  return all;
}

export async function exportTrained(trained: TrainedModel, type: ExportType, folder: string): Promise<string> {
  const { model, tokenizer } = trained;
  const key = createHash("sha256").update(JSON.stringify(model.config)).digest("hex").slice(0, 16);
  const file = path.join(folder, `${key}-${type}.gguf`);
  if (!existsSync(file)) {
    const plan = planExport(model.config, tokenizer, { target: "bitnet-lab", type, name: "bits" });
    await exportModel(plan, file, async (name) => {
      return model.parameters.get(name)!.dataSync() as Float32Array;
    });
  }
  return file;
}

/** Number of values whose float32 bits differ; also counts missing ones. */
export function differingBits(expected: readonly Float32Array[], actual: readonly Float32Array[]): number {
  let differing = Math.abs(expected.length - actual.length);
  expected.forEach((values, i) => {
    const a = new Uint32Array(values.slice().buffer);
    const b = new Uint32Array((actual[i] ?? new Float32Array()).slice().buffer);
    for (let k = 0; k < Math.max(a.length, b.length); k++) if (a[k] !== b[k]) differing++;
  });
  return differing;
}

export async function engineScores(file: string, sequences: Int32Array[], threads: number, chunk?: number | "token") {
  const engine = await Engine.load(file, { threads });
  try {
    return (await engine.score(sequences, chunk === undefined ? {} : { chunk })).map((score) => score.logprobs);
  } finally {
    engine.dispose();
  }
}

/** The training forward of one model in the default variant: what everything else is compared with. */
export function prepare(keys: Partial<ModelConfigJson>, { steps = 12, tokens = 4096 } = {}) {
  const trained = trainSmallModel(keys, steps);
  const sequences = raggedSequences(trained.heldOutIds, tokens);
  return { trained, sequences, expected: trainingForward(trained, sequences, 5) };
}

/** Ways to cut the work of the engine. */
export const cuts = [
  { threads: 1, chunk: undefined },
  { threads: 2, chunk: undefined },
  { threads: 3, chunk: 37 },
  { threads: 2, chunk: "token" },
  { threads: 1, chunk: 5 },
] as const;
