/**
 * What telemetry costs a training step: plain steps, steps with the zeros and flips of a row of metrics, steps with rows
 * of telemetry, and with histograms, in turn in one process, each with what it writes to the disk (JSONL and event file).
 *
 *     tsx experiments/bench/telemetry_cost.ts [--shape T] [--rounds 30] [--threads N] [--precision f32]
 *
 * The share is that of the default intervals of the recipe. "Off" is what remains in every step with telemetry off: the
 * question of each product whether somebody looks on.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import * as tf from "@tensorflow/tfjs";
import { selectBackend } from "../../native/backend/select_backend.ts";
import type { BackwardPrecision } from "../../src/config/backward_precision.ts";
import { modelConfigSchema, resolveModelConfig } from "../../src/config/model_config.ts";
import { CausalLM } from "../../src/model/causal_lm.ts";
import { observeLinear } from "../../src/ops/linear_observer.ts";
import { CounterRng } from "../../src/random/counter_rng.ts";
import { loadRunConfig, resolveConfigPath } from "../../training/config/load_run_config.ts";
import { makeOptimizer, optimizedParameters, optimizerSchema } from "../../training/optimizers/registry.ts";
import { appendRows } from "../../training/run_directory.ts";
import { StepTelemetry } from "../../training/telemetry/step_telemetry.ts";
import { type TelemetryDetail, telemetrySchema } from "../../training/telemetry/telemetry_options.ts";
import { runEvents } from "../../training/tensorboard/run_events.ts";
import { trainStep } from "../../training/train_step.ts";
import { median } from "./measurement.ts";
import { trainingShapes } from "./shapes.ts";

const { values } = parseArgs({
  options: {
    shape: { type: "string", default: "T" },
    rounds: { type: "string", default: "30" },
    threads: { type: "string" },
    precision: { type: "string", default: "f32" },
  },
});
const shape = trainingShapes[values.shape];
await selectBackend("native", values.threads ? Number(values.threads) : undefined);
const config = resolveModelConfig(
  modelConfigSchema.parse({
    hidden_size: shape.hidden,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kvHeads,
    intermediate_size: shape.intermediate,
    vocab_size: shape.vocab,
    max_position_embeddings: shape.sequence,
  }),
);
const model = new CausalLM(config, { seed: 0 });
const optimizer = makeOptimizer(optimizerSchema.parse({}), optimizedParameters(model), 1);
const rng = new CounterRng(0, "batch");
const ids = Int32Array.from({ length: shape.batch * shape.sequence }, () => rng.integer(shape.vocab));
const batch = { ids, targets: ids, sequenceLength: shape.sequence };

const options = telemetrySchema.parse({});
const detail = (histograms: boolean): TelemetryDetail => ({
  histograms,
  activationTokens: options.activation_tokens,
  outlierSigma: options.outlier_sigma,
});
/** Kinds of a step; undefined: nobody looks on. */
const kinds = { plain: undefined, metrics: null, telemetry: detail(false), histograms: detail(true) };
type Kind = keyof typeof kinds;

const folder = mkdtempSync(path.join(tmpdir(), "telemetry-cost-"));
const events = runEvents(folder, loadRunConfig(resolveConfigPath("tiny.yaml")), 0);
let updates = 0;

/** Milliseconds of one step of that kind. */
function timed(kind: Kind): number {
  const looked = kinds[kind];
  const step = ++updates;
  const start = performance.now();
  const observer = looked === undefined ? undefined : new StepTelemetry(model, looked, model.quantization.weights);
  trainStep(
    model,
    optimizer,
    [batch],
    { step, learningRate: 1e-3, weightDecay: 0.1, precision: values.precision as BackwardPrecision },
    observer,
  );
  if (observer && looked) {
    const rows = observer.rows(step);
    appendRows(path.join(folder, "telemetry.jsonl"), rows);
    events.onTelemetry?.(step, rows);
  }
  return performance.now() - start;
}

/** Milliseconds of the questions of one step. */
function questions(): number {
  const x = tf.zeros([1, 1]);
  const asked = 1e5;
  const start = performance.now();
  for (let i = 0; i < asked; i++) observeLinear("", x);
  x.dispose();
  return ((performance.now() - start) / asked) * (4 * shape.layers + 1);
}

const names = Object.keys(kinds) as Kind[];
const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Kind, number[]>;
for (const name of names) timed(name);
const rounds = Number(values.rounds);
for (let round = 0; round < rounds; round++) {
  for (let i = 0; i < names.length; i++) {
    const name = names[(round + i) % names.length];
    times[name].push(timed(name));
  }
}
rmSync(folder, { recursive: true });

const ms = Object.fromEntries(names.map((name) => [name, median(times[name])])) as Record<Kind, number>;
const more = (name: Kind) => median(times[name].map((time, round) => time - times.plain[round]));
const perStep = more("telemetry") / options.every + (more("histograms") - more("telemetry")) / options.histograms_every;
const rounded = (value: number, digits = 2) => Number(value.toFixed(digits));
console.log(
  JSON.stringify({
    bench: "telemetry cost",
    shape: values.shape,
    precision: values.precision,
    rounds,
    step_ms: rounded(ms.plain),
    metrics_row_ms: rounded(more("metrics")),
    telemetry_row_ms: rounded(more("telemetry")),
    histograms_row_ms: rounded(more("histograms")),
    off_percent: rounded((100 * questions()) / ms.plain, 5),
    default_percent: rounded((100 * perStep) / ms.plain, 3),
  }),
);
