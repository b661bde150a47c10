/**
 * What does rounding the gradients of the backward products cost? Trains the BitNet of the loss curve (shape T,
 * characters of Shakespeare, 2000 steps) in one precision and appends its validation losses to
 * experiments/results/backward_precision.jsonl, from where `npm run readme` and the LOG take them.
 *
 *     npx tsx experiments/backward_precision.ts --precision int8 --seed 0 [--steps 2000] [--threads N] [--shared ../shared]
 */
import path from "node:path";
import { parseArgs } from "node:util";
import { selectBackend } from "../src/cli/backend.ts";
import { type BackwardPrecision, backwardPrecisions } from "../src/config/backward_precision.ts";
import { appendJsonLines } from "./bench/measurement.ts";
import { hasReplaySources, replay, replaySources, totalSteps } from "./loss_curve_replay.ts";

const { values } = parseArgs({
  options: {
    precision: { type: "string", default: "int8" },
    seed: { type: "string", default: "0" },
    steps: { type: "string", default: String(totalSteps) },
    threads: { type: "string" },
    shared: { type: "string", default: path.join(import.meta.dirname, "../../shared") },
  },
});
const precision = values.precision as BackwardPrecision;
const sources = replaySources(values.shared);
if (!backwardPrecisions.includes(precision) || !hasReplaySources(sources)) {
  console.error(`backward_precision: needs one of ${backwardPrecisions.join(", ")}, and the text in ${values.shared}`);
  process.exit(1);
}
const compute = await selectBackend("native", values.threads ? Number(values.threads) : undefined);
const seed = Number(values.seed);
const started = performance.now();
let recent: number[] = [];
for await (const { step, loss, validation } of replay("bitnet", Number(values.steps), sources, { precision, seed })) {
  recent = [...recent, loss].slice(-50);
  if (validation === undefined) continue;
  const row = {
    shape: "T",
    precision,
    seed,
    step,
    train_loss: recent.reduce((sum, value) => sum + value, 0) / recent.length,
    validation_loss: validation,
    threads: compute.threads,
    seconds: Math.round((performance.now() - started) / 1000),
  };
  console.log(`${precision} seed ${seed} step ${step}: validation ${validation.toFixed(4)}, ${row.seconds} s`);
  appendJsonLines(path.join(import.meta.dirname, "results/backward_precision.jsonl"), [row]);
}
