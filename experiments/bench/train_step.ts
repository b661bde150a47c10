/**
 * Speed of the full training step (forward, backward, clipping, AdamW) on the native backend, with its time by kernel.
 *
 *     npx tsx experiments/bench/train_step.ts [T|S|M|L ...] [--threads N] [--steps N] [--precision f32|bf16|int8]
 *         [--float]
 */
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import * as tf from "@tensorflow/tfjs";
import { loadAddon } from "../../native/addon.ts";
import { registerNativeBackend } from "../../native/backend/index.ts";
import type { BackwardPrecision } from "../../src/config/backward_precision.ts";
import { modelConfigSchema, resolveModelConfig } from "../../src/config/model_config.ts";
import { CausalLM } from "../../src/model/causal_lm.ts";
import { adamWStep } from "../../src/ops/adamw_step.ts";
import { beginBackwardPass } from "../../src/ops/backward_pass.ts";
import { globalNormSquared } from "../../src/ops/global_norm_squared.ts";
import { median } from "./measurement.ts";

export interface TrainStepShape {
  hidden: number;
  layers: number;
  heads: number;
  kvHeads: number;
  intermediate: number;
  vocab: number;
  sequence: number;
  batch: number;
}

/** The shapes whose PyTorch figures are known. */
export const trainStepShapes: Record<string, TrainStepShape> = {
  T: { hidden: 128, layers: 4, heads: 4, kvHeads: 4, intermediate: 352, vocab: 96, sequence: 128, batch: 32 },
  S: { hidden: 256, layers: 6, heads: 8, kvHeads: 4, intermediate: 704, vocab: 4096, sequence: 256, batch: 16 },
  M: { hidden: 512, layers: 8, heads: 8, kvHeads: 4, intermediate: 1408, vocab: 8192, sequence: 256, batch: 8 },
  L: { hidden: 768, layers: 12, heads: 12, kvHeads: 4, intermediate: 2048, vocab: 16384, sequence: 512, batch: 4 },
};

export interface TrainStepResult {
  tokensPerSecond: number;
  /** Median step, milliseconds. */
  stepMs: number;
  /** Median milliseconds of a step inside each native function, largest first. The rest of the step is JavaScript. */
  kernelMs: [name: string, ms: number][];
  /** Resident set, MB. */
  rssMb: number;
}

export interface TrainStepOptions {
  steps: number;
  precision: BackwardPrecision;
  /** The float twin: plain linear layers. */
  isFloat: boolean;
}

/** Wraps every function of the addon with a timer; returns the sums by name. */
function timeAddon(): Map<string, number> {
  const addon = loadAddon() as unknown as Record<string, (...args: unknown[]) => unknown>;
  const sums = new Map<string, number>();
  for (const name of Object.keys(addon)) {
    const original = addon[name];
    if (typeof original !== "function" || /^[A-Z]/.test(name)) continue;
    addon[name] = (...args) => {
      const start = performance.now();
      const result = original(...args);
      sums.set(name, (sums.get(name) ?? 0) + performance.now() - start);
      return result;
    };
  }
  return sums;
}

/** Times `steps` training steps after two to warm up. The native backend must be active. */
export function benchTrainStep(
  shape: TrainStepShape,
  { steps, precision, isFloat }: TrainStepOptions,
): TrainStepResult {
  const config = resolveModelConfig(
    modelConfigSchema.parse({
      ...(isFloat ? { weight_quantizer: "none", activation_quantizer: "none" } : {}),
      hidden_size: shape.hidden,
      num_hidden_layers: shape.layers,
      intermediate_size: shape.intermediate,
      num_attention_heads: shape.heads,
      num_key_value_heads: shape.kvHeads,
      vocab_size: shape.vocab,
    }),
  );
  const model = new CausalLM(config, { seed: 1 });
  const variables = [...model.parameters.values()];
  const moments = variables.map((variable) => [
    tf.variable(tf.zeros(variable.shape)),
    tf.variable(tf.zeros(variable.shape)),
  ]);
  const count = shape.batch * shape.sequence;
  const draw = (offset: number) => Int32Array.from({ length: count }, (_, i) => ((i + offset) * 7919) % shape.vocab);
  const ids = tf.tensor2d(draw(0), [shape.batch, shape.sequence], "int32");
  const targets = tf.tensor2d(draw(1), [shape.batch, shape.sequence], "int32");

  const runStep = (step: number) =>
    tf.tidy(() => {
      beginBackwardPass({ precision, seed: 0, step, microStep: 0 });
      const { grads } = tf.variableGrads(() => model.loss(ids, targets), variables);
      let norm = 0;
      for (const variable of variables) norm += globalNormSquared(grads[variable.name]).dataSync()[0];
      const settings = { learningRate: 1e-3, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, step };
      const gradScale = Math.min(1, 1 / (Math.sqrt(norm) + 1e-6));
      variables.forEach((variable, i) => {
        adamWStep(variable, grads[variable.name], moments[i][0], moments[i][1], { ...settings, gradScale });
      });
    });

  for (let step = 1; step <= 2; step++) runStep(step);
  const sums = timeAddon();
  const stepTimes: number[] = [];
  const kernelTimes = new Map<string, number[]>();
  for (let step = 3; step < 3 + steps; step++) {
    sums.clear();
    const start = performance.now();
    runStep(step);
    stepTimes.push(performance.now() - start);
    for (const [name, ms] of sums) kernelTimes.set(name, [...(kernelTimes.get(name) ?? []), ms]);
  }
  const stepMs = median(stepTimes);
  const kernelMs = Array.from(kernelTimes, ([name, times]): [string, number] => [name, median(times)]);
  kernelMs.sort((a, b) => b[1] - a[1]);
  tf.dispose([ids, targets, ...moments.flat()]);
  model.dispose();
  return { tokensPerSecond: (count / stepMs) * 1000, stepMs, kernelMs, rssMb: process.memoryUsage().rss / 1e6 };
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: {
      threads: { type: "string" },
      steps: { type: "string", default: "8" },
      precision: { type: "string", default: "f32" },
      float: { type: "boolean", default: false },
    },
    allowPositionals: true,
  });
  registerNativeBackend();
  await tf.setBackend("native");
  const addon = loadAddon();
  if (values.threads) addon.setThreads(Number(values.threads));
  for (const name of positionals.length > 0 ? positionals : ["T"]) {
    const result = benchTrainStep(trainStepShapes[name], {
      steps: Number(values.steps),
      precision: values.precision as BackwardPrecision,
      isFloat: values.float,
    });
    const { tokensPerSecond, stepMs, rssMb } = result;
    console.log(
      `${name}${values.float ? " float" : ""}, backward ${values.precision}: ${tokensPerSecond.toFixed(0)} tokens/s, ${stepMs.toFixed(1)} ms a step, RSS ${rssMb.toFixed(0)} MB, ` +
        `${addon.isa()}, ${addon.threads()} threads`,
    );
    for (const [kernel, ms] of result.kernelMs)
      if (ms >= 0.05) console.log(`  ${kernel.padEnd(22)} ${ms.toFixed(2)} ms`);
  }
}

if (import.meta.filename === process.argv[1]) await main();
