/**
 * `npm run bench [-- kernels train engine evaluate] [--threads 1,2] [--shapes T,S] [--models A.gguf,B.gguf]
 * [--evaluation-shapes M] [--data-dir DIR] [--rounds 5] [--out FILE]`: what this machine does.
 *
 *   kernels   every native kernel of every variant, over shapes, beside the measured peaks of the machine
 *   train     the full training step by shape, every backward precision, beside PyTorch where there is one
 *   engine    prefill 512 and decode 64 of the small shape, or of the files of --models, beside llama.cpp
 *             (NODE_LLAMA_CPP names the folder of node-llama-cpp) or, for I2_S, bitnet.cpp (BITNET_CPP names its build)
 *   evaluate  ARC-Easy (of --data-dir, or generated questions) with all threads, beside lm-evaluation-harness and llama.cpp
 *
 * Prints tables; appends JSON lines (default experiments/results/bench.jsonl) that carry date, commit, CPU, ISA and
 * threads. Benchmarks only inform: nothing here passes or fails.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { engineContest, writeSmallModel } from "./engine_contest.ts";
import { evaluationContest, evaluationShapes } from "./eval_contest.ts";
import { appendJsonLines, environment, formatTable, type Measurement } from "./measurement.ts";
import { trainingContest, trainingShapes } from "./training_contest.ts";

const root = path.join(import.meta.dirname, "../..");
const sections = ["kernels", "train", "engine", "evaluate"] as const;
type Section = (typeof sections)[number];

/** The C++ benchmark prints one JSON object a line. */
function benchKernels(threads: readonly number[]): Measurement[] {
  return threads.flatMap((count) => {
    const program = [path.join(root, "native/check/run.mjs"), "--bench", "--", "--quick", "--threads", String(count)];
    const { status, stdout, stderr } = spawnSync(process.execPath, program, { encoding: "utf8", maxBuffer: 1 << 26 });
    if (status !== 0) throw new Error(`the kernel benchmark failed: ${stderr.trim().split("\n").at(-1)}`);
    return stdout
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Measurement);
  });
}

async function benchTraining(
  threads: readonly number[],
  shapes: readonly string[],
  rounds: number,
): Promise<Measurement[]> {
  const rows: Measurement[] = [];
  for (const shape of shapes) {
    for (const count of threads) rows.push(...(await trainingContest(shape, { threads: count, rounds })));
  }
  return rows;
}

async function benchInference(
  threads: readonly number[],
  models: readonly string[],
  rounds: number,
): Promise<Measurement[]> {
  const folder = mkdtempSync(path.join(tmpdir(), "bitnet-bench-"));
  try {
    const rows: Measurement[] = [];
    for (const file of models.length > 0 ? models : [await writeSmallModel(folder)]) {
      rows.push(...(await engineContest(file, { threads, rounds })));
    }
    return rows;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function benchEvaluation(
  threads: number,
  shapes: readonly string[],
  rounds: number,
  dataDirectory: string | undefined,
): Promise<Measurement[]> {
  const rows: Measurement[] = [];
  for (const shape of shapes) rows.push(...(await evaluationContest(shape, { threads, rounds, dataDirectory })));
  return rows;
}

/** Columns of a section's table: those of its rows, in order of appearance. */
const columnsOf = (rows: readonly Measurement[]) => [...new Set(rows.flatMap((row) => Object.keys(row)))];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    threads: { type: "string", default: [...new Set([1, availableParallelism()])].join(",") },
    shapes: { type: "string", default: "T,S" },
    models: { type: "string", default: "" },
    "evaluation-shapes": { type: "string", default: "M" },
    "data-dir": { type: "string" },
    rounds: { type: "string", default: "5" },
    out: { type: "string", default: path.join(root, "experiments/results/bench.jsonl") },
  },
});
const unknown = [
  ...positionals.filter((name) => !(sections as readonly string[]).includes(name)),
  ...values.shapes.split(",").filter((name) => !(name in trainingShapes)),
  ...values["evaluation-shapes"].split(",").filter((name) => !(name in evaluationShapes)),
];
if (unknown.length > 0) {
  console.error(
    `bench: ${unknown.join(", ")} is unknown; sections: ${sections.join(", ")}; shapes: ${Object.keys(trainingShapes).join(", ")}; evaluation shapes: ${Object.keys(evaluationShapes).join(", ")}`,
  );
  process.exit(2);
}
const threads = values.threads.split(",").map(Number);
const run: Record<Section, () => Measurement[] | Promise<Measurement[]>> = {
  kernels: () => benchKernels(threads),
  train: () => benchTraining(threads, values.shapes.split(","), Number(values.rounds)),
  engine: () => benchInference(threads, values.models.split(",").filter(Boolean), Number(values.rounds)),
  evaluate: () =>
    benchEvaluation(
      Math.max(...threads),
      values["evaluation-shapes"].split(","),
      Number(values.rounds),
      values["data-dir"],
    ),
};
const facts = environment();
console.log(
  Object.entries(facts)
    .map(([key, value]) => `${key} ${value}`)
    .join("  "),
);
for (const section of positionals.length > 0 ? (positionals as Section[]) : sections) {
  const rows = await run[section]();
  console.log(`\n${section}\n${formatTable(rows, columnsOf(rows))}`);
  appendJsonLines(
    values.out,
    rows.map((row) => ({ ...facts, section, ...row })),
  );
}
