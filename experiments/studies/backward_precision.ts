/**
 * What does rounding the gradients of the backward products cost? Trains the same BitNet in every precision from several
 * seeds and appends the validation losses of each finished run to experiments/results/backward_precision.jsonl, from
 * where `npm run readme` takes them. Runs that the file already holds are left out.
 *
 *     npx tsx experiments/studies/backward_precision.ts --shape T|S [--precision f32,bf16,int8] [--seeds 0,1,2] [--threads N]
 *                                               [--steps N] [--shared ../shared] [--work runs/backward_precision]
 *     npx tsx experiments/studies/backward_precision.ts --summary
 *
 *   T   the BitNet of the loss curve (characters of Shakespeare, 2000 steps of 4096 tokens); a seed is an order of batches
 *   S   recipes/backward_study.yaml on novels (1000 steps of 1024 tokens); a seed also draws the initial weights. Its runs
 *       lie in --work and go on from their last checkpoint
 */
import path from "node:path";
import { parseArgs } from "node:util";
import { selectBackend } from "../../native/backend/select_backend.ts";
import { type BackwardPrecision, backwardPrecisions } from "../../src/config/backward_precision.ts";
import { appendJsonLines, environment, formatTable } from "../bench/measurement.ts";
import { type StudyRun, trainNovels } from "./backward_precision_novels.ts";
import {
  hasRun,
  precisionTable,
  type RunKey,
  readStudy,
  type StudyRow,
  studyFile,
  studySteps,
} from "./backward_precision_rows.ts";
import { hasReplaySources, replay, replaySources } from "./loss_curve_replay.ts";

type Point = Pick<StudyRow, "step" | "train_loss" | "validation_loss">;

/** Steps whose mean is a point's training loss. */
const window = 50;

async function* trainCharacters({ precision, seed, steps, shared }: StudyRun): AsyncGenerator<Point> {
  let recent: number[] = [];
  for await (const { step, loss, validation } of replay("bitnet", steps, replaySources(shared), { precision, seed })) {
    recent = [...recent, loss].slice(-window);
    if (validation === undefined) continue;
    yield {
      step,
      train_loss: recent.reduce((sum, value) => sum + value, 0) / recent.length,
      validation_loss: validation,
    };
  }
}

function fail(message: string): never {
  console.error(`backward_precision: ${message}`);
  process.exit(2);
}

const { values } = parseArgs({
  options: {
    shape: { type: "string", default: "T" },
    precision: { type: "string", default: backwardPrecisions.join(",") },
    seeds: { type: "string", default: "0,1,2" },
    steps: { type: "string" },
    threads: { type: "string" },
    shared: { type: "string", default: path.join(import.meta.dirname, "../../../shared") },
    work: { type: "string", default: path.join(import.meta.dirname, "../../runs/backward_precision") },
    summary: { type: "boolean", default: false },
  },
});

function printSummary(): void {
  const rows = precisionTable(readStudy());
  console.log(rows.length === 0 ? `no finished run in ${studyFile}` : formatTable(rows, Object.keys(rows[0]!)));
}

if (values.summary) {
  printSummary();
  process.exit(0);
}
const { shape, shared, work } = values;
if (shape !== "T" && shape !== "S") fail(`--shape ${shape}: expected T or S`);
const precisions = values.precision.split(",") as BackwardPrecision[];
for (const name of precisions) {
  if (!backwardPrecisions.includes(name)) fail(`--precision ${name}: expected ${backwardPrecisions.join(", ")}`);
}
const seeds = values.seeds.split(",").map(Number);
if (seeds.some((seed) => !Number.isInteger(seed) || seed < 0)) fail(`--seeds ${values.seeds}: expected numbers from 0`);
if (shape === "T" && !hasReplaySources(replaySources(shared)))
  fail(`${shared}: needs oracle/loss_curve and data/tinyshakespeare`);
const steps = values.steps === undefined ? studySteps[shape] : Number(values.steps);
const train = shape === "T" ? trainCharacters : trainNovels;

const compute = await selectBackend("native", values.threads ? Number(values.threads) : undefined);
for (const seed of seeds) {
  for (const precision of precisions) {
    if (hasRun(readStudy(), { shape, precision, seed, steps })) {
      console.log(`${shape} ${precision} seed ${seed}: is there already`);
      continue;
    }
    const started = performance.now();
    const facts: RunKey = { shape, precision, seed, steps };
    const rows: StudyRow[] = [];
    for await (const point of train({ precision, seed, steps, shared, work, compute })) {
      const seconds = Math.round((performance.now() - started) / 1000);
      rows.push({ ...facts, ...point, threads: compute.threads, seconds });
      const loss = point.validation_loss.toFixed(4);
      console.log(
        `${shape} ${precision} seed ${seed} step ${point.step} of ${steps}: validation ${loss}, ${seconds} s`,
      );
    }
    const { date, commit, cpu, isa } = environment();
    appendJsonLines(
      studyFile,
      rows.map((row) => ({ ...row, date, commit, cpu, isa }) as Record<string, string | number>),
    );
  }
}
printSummary();
