/**
 * Replays a reference run: a PyTorch BitNet and its float twin on characters of Shakespeare, from the same initial
 * weights and batches (the recipe and the published values are in `published`).
 */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { SafetensorsFile } from "../../src/checkpoint/safetensors_file.ts";
import type { BackwardPrecision } from "../../src/config/backward_precision.ts";
import type { ModelConfig } from "../../src/config/model_config.ts";
import { CausalLM } from "../../src/model/causal_lm.ts";
import { modelParameters } from "../../src/model/parameters.ts";
import { makeOptimizer, optimizedParameters, optimizerSchema } from "../../training/optimizers/registry.ts";
import { makeSchedule, scheduleSchema } from "../../training/schedules/registry.ts";
import { type TokenBatch, trainStep } from "../../training/train_step.ts";
import { validate } from "../../training/validation.ts";

export type Twin = "bitnet" | "float";

/**
 * Validation loss (nats per character) by step, and how far a replay may be from the nearest of the reference runs:
 * PyTorch compiled and, up to step 1500, PyTorch eager. The two differ from each other by up to 0.044 (step 100), as
 * rounding in another order flips codes; a third implementation can agree with both no better than they do.
 */
export interface PublishedLoss {
  compiled: number;
  eager?: number;
  tolerance: number;
}

const losses = (rows: readonly (readonly [step: number, tolerance: number, compiled: number, eager?: number])[]) =>
  new Map(rows.map(([step, tolerance, compiled, eager]) => [step, { compiled, eager, tolerance }]));

export const published: Record<Twin, ReadonlyMap<number, PublishedLoss>> = {
  bitnet: losses([
    [100, 0.05, 2.535, 2.491],
    [250, 0.05, 1.977, 2.001],
    [500, 0.05, 1.749, 1.774],
    [750, 0.05, 1.666, 1.661],
    [1000, 0.03, 1.6, 1.612],
    [1250, 0.03, 1.565, 1.556],
    [1500, 0.03, 1.52, 1.52],
    [1750, 0.03, 1.496],
    [2000, 0.03, 1.481],
  ]),
  float: losses([
    [100, 0.02, 2.414, 2.414],
    [250, 0.02, 1.917, 1.922],
    [500, 0.02, 1.703, 1.705],
    [750, 0.02, 1.598, 1.589],
    [1000, 0.02, 1.548, 1.541],
    [1250, 0.02, 1.503, 1.504],
    [1500, 0.02, 1.465, 1.46],
    [1750, 0.02, 1.451],
    [2000, 0.02, 1.441],
  ]),
};

/** Signed distance to the nearest reference run. */
export function distanceToPublished(loss: number, { compiled, eager = compiled }: PublishedLoss): number {
  return Math.abs(loss - eager) < Math.abs(loss - compiled) ? loss - eager : loss - compiled;
}

export const totalSteps = 2000;
const sequenceLength = 128;
const batchSize = 32;
const validationWindows = 256;
const trainFraction = 0.9;
const peak = { learningRate: 2e-3, weightDecay: 0.1 };
const schedule = makeSchedule(
  scheduleSchema.parse({ type: "cosine", warmup_steps: 100, min_ratio: 0.1 }),
  peak,
  totalSteps,
);

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
    normPlacement: "sub",
    feedForward: "gated",
    useHadamard: false,
    qkNorm: false,
    attentionBias: "none",
    mlpBias: false,
    ropeScaling: null,
    slidingWindow: null,
    embeddingMultiplier: 1,
    tieWordEmbeddings: true,
    initializerRange: 0.02,
    weightQuantizer: quantized ? "absmean_ternary" : "none",
    activationQuantizer: quantized ? "absmax_int8" : "none",
    scaleDtype: "f32",
    embeddingDtype: "f32",
    embeddingQuantizer: "none",
  };
}

/** The folder and the file with the reference run's inputs. */
export interface ReplaySources {
  /** Holds init.safetensors and batch_starts.safetensors. */
  oracle: string;
  /** Tiny Shakespeare. */
  text: string;
}

/** Where they lie in a folder laid out like `shared`. */
export function replaySources(shared: string): ReplaySources {
  return {
    oracle: path.join(shared, "oracle/loss_curve"),
    text: path.join(shared, "data/tinyshakespeare/input.txt"),
  };
}

/** True if they are there. */
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

export interface ReplayVariation {
  /** Of the backward products; the published curve has f32. */
  precision: BackwardPrecision;
  /** 0: the published order of batches. Any other number begins elsewhere in it, and draws other random numbers. */
  seed: number;
}

/** Steps between the beginnings of two seeds. */
const seedStride = 700;

/** Runs the first `steps` steps of a replay on the current backend and yields every step. */
export async function* replay(
  twin: Twin,
  steps: number,
  sources: ReplaySources,
  { precision, seed }: ReplayVariation = { precision: "f32", seed: 0 },
): AsyncGenerator<ReplayPoint> {
  const ids = encodeCharacters(sources.text);
  const validationStart = Math.floor(ids.length * trainFraction);
  const starts = await readBatchStarts(path.join(sources.oracle, "batch_starts.safetensors"));
  const model = await initialModel(path.join(sources.oracle, "init.safetensors"), modelConfig(twin));
  const optimizer = makeOptimizer(optimizerSchema.parse({ type: "adamw" }), optimizedParameters(model), 1);
  const held = Array.from({ length: validationWindows / batchSize }, (_, batch) =>
    windows(
      ids,
      Array.from({ length: batchSize }, (_, row) => validationStart + (batch * batchSize + row) * sequenceLength),
    ),
  );
  try {
    for (let step = 1; step <= steps; step++) {
      const first = ((step - 1 + seed * seedStride) % totalSteps) * batchSize;
      const batch = windows(ids, starts.subarray(first, first + batchSize));
      const values = schedule.values(step);
      const { loss } = trainStep(model, optimizer, [batch], { step, ...values, precision, seed });
      const validation = published[twin].has(step) ? (await validate(model, held)).loss : undefined;
      yield { step, loss, validation };
    }
  } finally {
    model.dispose();
    optimizer.dispose();
  }
}
