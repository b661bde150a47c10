/** What `npm run bench` can measure. Sections load their contests, and tfjs with them, when they run. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Measurement } from "./measurement.ts";

export interface BenchOptions {
  threads: readonly number[];
  /** Of training. */
  shapes: readonly string[];
  /** Of training: those whose names match. */
  contenders: RegExp;
  evaluationShapes: readonly string[];
  /** GGUF files; none: a small random one. */
  models: readonly string[];
  dataDirectory: string | undefined;
  rounds: number;
}

export const sections = {
  kernels: benchKernels,
  train: benchTraining,
  engine: benchEngine,
  evaluate: benchEvaluation,
} satisfies Record<string, (options: BenchOptions) => Promise<Measurement[]>>;
export type Section = keyof typeof sections;

/** The C++ benchmark prints one JSON object a line. */
async function benchKernels({ threads }: BenchOptions): Promise<Measurement[]> {
  const script = path.join(import.meta.dirname, "../../native/check/run.mjs");
  return threads.flatMap((count) => {
    const program = [script, "--bench", "--", "--quick", "--threads", String(count)];
    const { status, stdout, stderr } = spawnSync(process.execPath, program, { encoding: "utf8", maxBuffer: 1 << 26 });
    if (status !== 0) throw new Error(`the kernel benchmark failed: ${stderr.trim().split("\n").at(-1)}`);
    return stdout
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Measurement)
      .filter((row) => row.bench !== "machine");
  });
}

async function benchTraining({ threads, shapes, contenders, rounds }: BenchOptions): Promise<Measurement[]> {
  const { trainingContest } = await import("./training_contest.ts");
  const rows: Measurement[] = [];
  for (const shape of shapes) {
    for (const count of threads) rows.push(...(await trainingContest(shape, { threads: count, rounds, contenders })));
  }
  return rows;
}

async function benchEngine({ threads, models, rounds }: BenchOptions): Promise<Measurement[]> {
  const { engineContest, writeSmallModel } = await import("./engine_contest.ts");
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

async function benchEvaluation(options: BenchOptions): Promise<Measurement[]> {
  const { evaluationContest } = await import("./eval_contest.ts");
  const { rounds, dataDirectory } = options;
  const threads = Math.max(...options.threads);
  const rows: Measurement[] = [];
  for (const shape of options.evaluationShapes) {
    rows.push(...(await evaluationContest(shape, { threads, rounds, dataDirectory })));
  }
  return rows;
}
