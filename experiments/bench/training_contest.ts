/**
 * Training speed side by side: our backward precisions, our float twin and PyTorch's settings train the same model on
 * the same batch, each in a process of its own, a few steps at a time in turn.
 *
 *     npx tsx experiments/bench/training_contest.ts [T S M L] [--threads 2] [--rounds 5] [--contenders REGEXP] [--wasm]
 *
 * PyTorch takes part when PYTHON (default python3) can import torch, in bf16 only if the CPU can multiply it. BITNET_ISA
 * keeps both sides to its instructions. Prints tables; see bench.ts for the JSON lines.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import * as tf from "@tensorflow/tfjs";
import { measureFmaPeak } from "../../native/machine_peaks.ts";
import { writeCheckpoint } from "../../src/checkpoint/write_checkpoint.ts";
import { modelConfigSchema, resolveModelConfig } from "../../src/config/model_config.ts";
import { allowedThreads } from "../../src/machine/threads.ts";
import { CausalLM } from "../../src/model/causal_lm.ts";
import { CounterRng } from "../../src/random/counter_rng.ts";
import { barChart } from "../../src/report/figures/bar_chart.ts";
import { renderPng } from "../../src/report/figures/render_png.ts";
import { formatTable, type Measurement, machineName, median } from "./measurement.ts";
import { hasBf16, pythonWith, pytorchEnvironment } from "./pytorch_process.ts";
import { type TrainingShape, trainingShapes } from "./shapes.ts";
import type { StoredBatch, TrainedSteps } from "./train_step.ts";
import { WorkerProcess } from "./worker_process.ts";

/** Steps to warm up (PyTorch compiles in the first), and in each turn. */
const warmupSteps = 2;
const stepsPerTurn = 3;
/** Times slower than the fastest. */
const hopeless = 8;

interface Contender {
  name: string;
  /** Whose model: the BitNet, or its float twin. */
  isFloat: boolean;
  command: string;
  arguments: string[];
  environment?: Record<string, string>;
}

function allContenders(threads: number, withWasm: boolean): Contender[] {
  const ours = (name: string, isFloat: boolean, ...flags: string[]): Contender => ({
    name: `bitnet-lab ${name}`,
    isFloat,
    command: process.execPath,
    arguments: ["--import", "tsx", path.join(import.meta.dirname, "train_step.ts"), ...flags],
  });
  const list = [
    ours("f32", false, "--precision", "f32", "--threads", String(threads)),
    ours("bf16", false, "--precision", "bf16", "--threads", String(threads)),
    ours("int8", false, "--precision", "int8", "--threads", String(threads)),
    ours("float twin", true, "--precision", "f32", "--threads", String(threads)),
  ];
  if (withWasm) list.push(ours("wasm", false, "--backend", "wasm"));
  const python = pythonWith("torch");
  if (python === undefined) return list;
  for (const isFloat of [false, true]) {
    for (const flags of [[], ["--bf16"], ["--compile"], ["--bf16", "--compile"]]) {
      if (flags.includes("--bf16") && !hasBf16()) continue;
      const precision = flags.includes("--bf16") ? "bf16" : "fp32";
      const mode = flags.includes("--compile") ? "compiled" : "eager";
      const script = path.join(import.meta.dirname, "pytorch_train_step.py");
      list.push({
        name: `PyTorch ${precision} ${mode}${isFloat ? ", float twin" : ""}`,
        isFloat,
        command: python,
        arguments: [script, ...flags, "--threads", String(threads)],
        environment: { ...pytorchEnvironment(), OMP_NUM_THREADS: String(threads) },
      });
    }
  }
  return list;
}

/** A contender at work. */
class Worker {
  readonly contender: Contender;
  readonly #process: WorkerProcess;

  constructor(contender: Contender, directory: string) {
    this.contender = contender;
    const { name, command, environment } = contender;
    this.#process = new WorkerProcess(name, command, [...contender.arguments, directory], environment);
  }

  /** Waits until the model is loaded, then trains the warm-up steps. */
  async start(): Promise<TrainedSteps> {
    await this.#process.answer();
    return this.run(warmupSteps);
  }

  run(steps: number): Promise<TrainedSteps> {
    return this.#process.ask(`run ${steps}`);
  }

  stop(): void {
    this.#process.stop();
  }
}

/** Writes a freshly initialized model and a batch of random ids. Scales and embedding are float32, as PyTorch's. */
async function writeModel(directory: string, shape: TrainingShape, isFloat: boolean): Promise<void> {
  const config = resolveModelConfig(
    modelConfigSchema.parse({
      hidden_size: shape.hidden,
      num_hidden_layers: shape.layers,
      intermediate_size: shape.intermediate,
      num_attention_heads: shape.heads,
      num_key_value_heads: shape.kvHeads,
      vocab_size: shape.vocab,
      scale_dtype: "f32",
      embedding_dtype: "f32",
      ...(isFloat ? { weight_quantizer: "none", activation_quantizer: "none" } : {}),
    }),
  );
  const rng = new CounterRng(1, "bench");
  const draw = () => Array.from({ length: shape.batch * shape.sequence }, () => rng.integer(shape.vocab));
  const batch: StoredBatch = { batch: shape.batch, sequence: shape.sequence, ids: draw(), targets: draw() };
  await tf.setBackend("cpu");
  const model = new CausalLM(config, { seed: 1 });
  await writeCheckpoint(directory, {
    config,
    tokenizer: null,
    parameters: (name) => model.parameters.get(name)!.dataSync() as Float32Array,
  });
  model.dispose();
  writeFileSync(path.join(directory, "batch.json"), JSON.stringify(batch));
}

/**
 * Floating-point operations of the matrix products of a step, whatever they are computed in: a forward product is followed
 * by two of its size. Attention multiplies causally, half of sequence x sequence.
 */
function stepOperations({
  hidden,
  layers,
  heads,
  kvHeads,
  intermediate,
  vocab,
  sequence,
  batch,
}: TrainingShape): number {
  const attentionWeights = hidden * hidden * (2 + (2 * kvHeads) / heads);
  const weights = layers * (attentionWeights + 3 * hidden * intermediate) + vocab * hidden;
  const attention = layers * 2 * hidden * (sequence / 2);
  return 6 * batch * sequence * (weights + attention);
}

/**
 * One row per contender, the BitNets first, then their float twins: two contests, since all at once take more memory than a
 * machine of 24 GB has at shape M. `over_best_pytorch` is its speed over the best PyTorch setting of the same model;
 * `share_of_fp32_peak` sets all its matrix products against the float32 multiply-adds that the machine managed between the
 * rounds (products of int8 codes may exceed it).
 */
export async function trainingContest(
  name: string,
  {
    threads,
    rounds,
    contenders = /(?:)/,
    withWasm = false,
  }: { threads: number; rounds: number; contenders?: RegExp; withWasm?: boolean },
): Promise<Measurement[]> {
  const chosen = allContenders(threads, withWasm).filter((each) => contenders.test(each.name));
  const rows: Measurement[] = [];
  for (const isFloat of [false, true]) {
    const sameModel = chosen.filter((each) => each.isFloat === isFloat);
    if (sameModel.length > 0) rows.push(...(await contestOf(name, isFloat, sameModel, threads, rounds)));
  }
  return rows;
}

async function contestOf(
  name: string,
  isFloat: boolean,
  chosen: readonly Contender[],
  threads: number,
  rounds: number,
): Promise<Measurement[]> {
  const shape = trainingShapes[name]!;
  const folder = mkdtempSync(path.join(tmpdir(), "bitnet-contest-"));
  const workers: Worker[] = [];
  try {
    await writeModel(folder, shape, isFloat);
    const results: { worker: Worker; firstLoss: number; turns: TrainedSteps[] }[] = [];
    for (const contender of chosen) {
      const worker = new Worker(contender, folder);
      workers.push(worker);
      const warmup = await worker.start();
      results.push({ worker, firstLoss: warmup.losses[0]!, turns: [{ ...warmup, ms: warmup.ms.slice(-1) }] });
    }
    // Whoever is hopeless (PyTorch in bf16 on a CPU without it) is not asked again: its last warm-up step stands.
    const fastest = Math.min(...results.map(({ turns }) => turns[0]!.ms[0]!));
    const competing = results.filter(({ turns }) => turns[0]!.ms[0]! < hopeless * fastest);
    for (const { worker } of results) if (!competing.some((each) => each.worker === worker)) worker.stop();
    for (const each of competing) each.turns.length = 0;
    const peaks: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const peak = await measureFmaPeak(threads);
      if (peak) peaks.push(peak);
      for (const { worker, turns } of competing) turns.push(await worker.run(stepsPerTurn));
    }
    const stepMs = (turns: TrainedSteps[]) => median(turns.flatMap((turn) => turn.ms));
    const best = Math.min(
      ...results
        .filter(({ worker: { contender } }) => contender.name.startsWith("PyTorch"))
        .map(({ turns }) => stepMs(turns)),
    );
    return results.map(({ worker: { contender }, firstLoss, turns }) => {
      const ms = stepMs(turns);
      const last = turns.at(-1)!;
      const ratio = best / ms;
      const kernels = Object.entries(last.kernel_ms ?? {}).slice(0, 4);
      return {
        shape: name,
        threads,
        contender: contender.name,
        tokens_per_second: ((shape.batch * shape.sequence) / ms) * 1000,
        step_ms: ms,
        ...(Number.isFinite(ratio) ? { over_best_pytorch: ratio } : {}),
        ...(peaks.length > 0 ? { share_of_fp32_peak: stepOperations(shape) / (ms / 1000) / median(peaks) } : {}),
        peak_rss_mb: last.peak_rss_mb,
        first_loss: firstLoss,
        ...(kernels.length > 0 ? { largest: kernels.map(([k, time]) => `${k} ${time.toFixed(0)}`).join(", ") } : {}),
      };
    });
  } finally {
    for (const worker of workers) worker.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Bars of tokens/s by contender, the shapes in groups, each as a share of its fastest. */
export function renderTrainingChart(rows: readonly Measurement[]): Promise<Buffer> {
  const shapes = [...new Set(rows.map((row) => String(row.shape)))];
  const groups = shapes.map((shape) => {
    const ofShape = rows.filter((row) => row.shape === shape);
    const fastest = Math.max(...ofShape.map((row) => Number(row.tokens_per_second)));
    const bars = ofShape.map(({ contender, tokens_per_second }) => ({
      label: String(contender),
      value: (100 * Number(tokens_per_second)) / fastest,
      colour: String(contender).startsWith("PyTorch") ? 1 : 0,
    }));
    return { label: `${shape} (100% = ${fastest.toFixed(0)} tokens/s), ${machineName(rows[0]!)}`, bars };
  });
  return renderPng(barChart("Training speed, tokens/s", { label: "% of the fastest" }, groups));
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      threads: { type: "string", default: String(allowedThreads()) },
      rounds: { type: "string", default: "5" },
      contenders: { type: "string", default: "" },
      wasm: { type: "boolean", default: false },
    },
  });
  for (const name of positionals.length > 0 ? positionals : ["T"]) {
    const rows = await trainingContest(name, {
      threads: Number(values.threads),
      rounds: Number(values.rounds),
      contenders: new RegExp(values.contenders),
      withWasm: values.wasm,
    });
    console.log(`\n${formatTable(rows, [...new Set(rows.flatMap((row) => Object.keys(row)))])}`);
  }
}

if (import.meta.filename === process.argv[1]) await main();
