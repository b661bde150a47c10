/**
 * One contender of the training benchmark: the full training step (forward, backward, clipping, AdamW), on demand.
 *
 *     tsx experiments/bench/train_step.ts DIRECTORY [--backend native|wasm|cpu] [--precision f32|bf16|int8] [--threads N]
 *
 * DIRECTORY is a checkpoint with batch.json, as training_contest.ts writes it. The command "run N" on stdin trains N
 * steps and answers with a line of JSON, {@link TrainedSteps}. pytorch_train_step.py does the same in PyTorch.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { PerformanceObserver, performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { loadAddon } from "../../native/addon.ts";
import { selectBackend } from "../../native/backend/select_backend.ts";
import { loadCausalLM, openCheckpoint } from "../../src/checkpoint/checkpoint.ts";
import type { BackwardPrecision } from "../../src/config/backward_precision.ts";
import type { BackendName } from "../../src/ops/compute.ts";
import { makeOptimizer, optimizedParameters, optimizerSchema } from "../../training/optimizers/registry.ts";
import { trainStep } from "../../training/train_step.ts";
import { median } from "./measurement.ts";

/** What a contender answers. */
export interface TrainedSteps {
  /** Before each update. */
  losses: number[];
  /** Of each step. */
  ms: number[];
  peak_rss_mb: number;
  /** Median milliseconds of a step inside each native function. The rest of the step is JavaScript. */
  kernel_ms?: Record<string, number>;
  /** Pages of 4 KB or 2 MB that the system handed out, median of a step. */
  page_faults?: number;
  /** Garbage collection on the thread that trains, mean milliseconds of a step. */
  gc_ms?: number;
}

/** batch.json: one batch, the same in every step. */
export interface StoredBatch {
  batch: number;
  sequence: number;
  ids: number[];
  targets: number[];
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

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    backend: { type: "string", default: "native" },
    precision: { type: "string", default: "f32" },
    threads: { type: "string" },
  },
});
const directory = positionals[0]!;
await selectBackend(values.backend as BackendName, values.threads ? Number(values.threads) : undefined);
const sums = values.backend === "native" ? timeAddon() : new Map<string, number>();
const checkpoint = await openCheckpoint(directory);
const model = await loadCausalLM(checkpoint);
await checkpoint.tensors.close();
const optimizer = makeOptimizer(optimizerSchema.parse({ type: "adamw" }), optimizedParameters(model), 1);
const stored: StoredBatch = JSON.parse(readFileSync(path.join(directory, "batch.json"), "utf8"));
const batch = {
  ids: Int32Array.from(stored.ids),
  targets: Int32Array.from(stored.targets),
  sequenceLength: stored.sequence,
};

let updates = 0;
let collected = 0;
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) collected += duration;
}).observe({ entryTypes: ["gc"] });

/** The observer is called between turns of the event loop, which training does not give it. */
const heardOfCollections = () => setTimeout(20);

async function run(steps: number): Promise<TrainedSteps> {
  await heardOfCollections();
  collected = 0;
  const pages: number[] = [];
  const losses: number[] = [];
  const ms: number[] = [];
  const kernels = new Map<string, number[]>();
  for (let i = 0; i < steps; i++) {
    sums.clear();
    const pagesBefore = process.resourceUsage().minorPageFault;
    const start = performance.now();
    const { loss } = trainStep(model, optimizer, [batch], {
      step: ++updates,
      learningRate: 1e-3,
      weightDecay: 0.1,
      precision: values.precision as BackwardPrecision,
    });
    ms.push(performance.now() - start);
    pages.push(process.resourceUsage().minorPageFault - pagesBefore);
    losses.push(loss);
    for (const [name, time] of sums) kernels.set(name, [...(kernels.get(name) ?? []), time]);
  }
  const byTime = Array.from(kernels, ([name, times]) => [name, median(times)] as const).sort((a, b) => b[1] - a[1]);
  await heardOfCollections();
  return {
    losses,
    ms,
    peak_rss_mb: process.resourceUsage().maxRSS / 1000,
    kernel_ms: byTime.length > 0 ? Object.fromEntries(byTime) : undefined,
    page_faults: median(pages),
    gc_ms: collected / steps,
  };
}

console.log("{}");
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await run(Number(line.split(" ")[1]))));
}
