/**
 * Replays a reference run: a PyTorch BitNet and its float twin on characters of Shakespeare, from the same initial
 * weights and batches (the recipe and the published values are in `published`).
 */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { SafetensorsFile } from "../src/checkpoint/safetensors_file.ts";
import type { ModelConfig } from "../src/config/model_config.ts";
import { CausalLM } from "../src/model/causal_lm.ts";
import { modelParameters } from "../src/model/parameters.ts";
import { AdamW } from "../training/optimizer.ts";
import { type Schedule, scheduledValues } from "../training/schedule.ts";
import { type TokenBatch, trainStep } from "../training/train_step.ts";
import { validate } from "../training/validation.ts";

export type Twin = "bitnet" | "float";

/** Validation loss of the reference run (nats per character) by step, and how far a replay may be from it. */
export const published: Record<Twin, ReadonlyMap<number, { loss: number; tolerance: number }>> = {
  bitnet: new Map(
    [
      [100, 2.535, 0.05],
      [250, 1.977, 0.05],
      [500, 1.749, 0.05],
      [750, 1.666, 0.05],
      [1000, 1.6, 0.03],
      [1250, 1.565, 0.03],
      [1500, 1.52, 0.03],
      [1750, 1.496, 0.03],
      [2000, 1.481, 0.03],
    ].map(([step, loss, tolerance]) => [step, { loss, tolerance }]),
  ),
  float: new Map(
    [
      [100, 2.414],
      [250, 1.917],
      [500, 1.703],
      [750, 1.598],
      [1000, 1.548],
      [1250, 1.503],
      [1500, 1.465],
      [1750, 1.451],
      [2000, 1.441],
    ].map(([step, loss]) => [step, { loss, tolerance: 0.02 }]),
  ),
};

export const totalSteps = 2000;
const sequenceLength = 128;
const batchSize = 32;
const validationWindows = 256;
const trainFraction = 0.9;
const peak = { learningRate: 2e-3, weightDecay: 0.1 };
const schedule: Schedule = {
  type: "cosine",
  warmupSteps: 100,
  minRatio: 0.1,
  stage2Start: 1,
  stage2LearningRate: peak.learningRate,
  stage2WeightDecay: 0,
  decay: "cosine",
};

function modelConfig(twin: Twin): ModelConfig {
  const quantized = twin === "bitnet";
  return {
    hiddenSize: 128,
    numHiddenLayers: 4,
    intermediateSize: 352,
    numAttentionHeads: 4,
    numKeyValueHeads: 4,
    headDim: 32,
    vocabSize: 96,
    maxPositionEmbeddings: sequenceLength,
    rmsNormEps: 1e-5,
    ropeTheta: 10000,
    hiddenAct: "relu2",
    useSubNorms: true,
    tieWordEmbeddings: true,
    initializerRange: 0.02,
    weightQuantizer: quantized ? "absmean_ternary" : "none",
    activationQuantizer: quantized ? "absmax_int8" : "none",
    scaleDtype: "f32",
    embeddingDtype: "f32",
  };
}

/** The folders with the reference run's inputs, and whether they are there. */
export interface ReplaySources {
  /** Holds init.safetensors and batch_starts.safetensors. */
  oracle: string;
  /** Tiny Shakespeare. */
  text: string;
}

export function hasReplaySources({ oracle, text }: ReplaySources): boolean {
  return existsSync(path.join(oracle, "init.safetensors")) && existsSync(text);
}

/** Newline is 0, any other character its ASCII code - 31. */
function encodeCharacters(file: string): Int32Array {
  return Int32Array.from(readFileSync(file), (code) => (code === 10 ? 0 : code - 31));
}

function windows(ids: Int32Array, starts: ArrayLike<number>): TokenBatch & { bytes: number } {
  const rows = Array.from(starts);
  const pick = (shift: number) =>
    Int32Array.from({ length: rows.length * sequenceLength }, (_, i) => {
      return ids[rows[Math.floor(i / sequenceLength)] + (i % sequenceLength) + shift];
    });
  return { ids: pick(0), targets: pick(1), sequenceLength, bytes: rows.length * sequenceLength };
}

async function readBatchStarts(file: string): Promise<Int32Array> {
  const tensors = await SafetensorsFile.open(file);
  const [name] = tensors.names();
  const bytes = await tensors.readBytes(name);
  await tensors.close();
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

async function initialModel(file: string, config: ModelConfig): Promise<CausalLM> {
  const tensors = await SafetensorsFile.open(file);
  const values = new Map<string, Float32Array>();
  for (const { name } of modelParameters(config)) values.set(name, await tensors.readFloat32(name));
  await tensors.close();
  return new CausalLM(config, { parameters: (name) => values.get(name)! });
}

export interface ReplayPoint {
  step: number;
  /** Training loss of this step. */
  loss: number;
  /** At the published steps. */
  validation?: number;
}

/** Runs the first `steps` steps of a replay on the current backend and yields every step. */
export async function* replay(twin: Twin, steps: number, sources: ReplaySources): AsyncGenerator<ReplayPoint> {
  const ids = encodeCharacters(sources.text);
  const validationStart = Math.floor(ids.length * trainFraction);
  const starts = await readBatchStarts(path.join(sources.oracle, "batch_starts.safetensors"));
  const model = await initialModel(path.join(sources.oracle, "init.safetensors"), modelConfig(twin));
  const optimizer = new AdamW(model.parameters, { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, maxGradNorm: 1 });
  const held = Array.from({ length: validationWindows / batchSize }, (_, batch) =>
    windows(
      ids,
      Array.from({ length: batchSize }, (_, row) => validationStart + (batch * batchSize + row) * sequenceLength),
    ),
  );
  try {
    for (let step = 1; step <= steps; step++) {
      const batch = windows(ids, starts.subarray((step - 1) * batchSize, step * batchSize));
      const values = scheduledValues(schedule, peak, step, totalSteps);
      const { loss } = trainStep(model, optimizer, [batch], { step, ...values });
      const validation = published[twin].has(step) ? (await validate(model, held)).loss : undefined;
      yield { step, loss, validation };
    }
  } finally {
    model.dispose();
    optimizer.dispose();
  }
}
