/**
 * Evaluation side by side: ARC-Easy, 0-shot, on the same model by bitnet-lab, lm-evaluation-harness with transformers, and
 * llama.cpp through node-llama-cpp, each in a process of its own, in turn, some of the documents at a time.
 *
 *     npx tsx experiments/bench/eval_contest.ts [M 100M] [--data-dir DIR] [--threads 2] [--rounds 4] [--limit N]
 *
 * The documents are those of DIR/arc_easy/test.jsonl, else toy_arc's generated ones, which have the same form. Weights are
 * random: every answer is at chance, the work is that of a trained model. lm-evaluation-harness takes part when PYTHON
 * (default python3) can import lm_eval, with the settings that are fastest on a sample of the documents, and with
 * batch size 1 (in the first round only); llama.cpp when NODE_LLAMA_CPP names the folder of node-llama-cpp, with the fastest number of
 * sequences. Loading is not timed.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { exportModel } from "../../export/export_model.ts";
import { planExport } from "../../export/export_plan.ts";
import { randomParameters } from "../../export/random_model.ts";
import { modelConfigSchema, resolveModelConfig } from "../../src/config/model_config.ts";
import { TaskData } from "../../src/eval/data/task_data.ts";
import { TaskRegistry } from "../../src/eval/task/task_registry.ts";
import { allowedThreads } from "../../src/machine/threads.ts";
import { trainBpe } from "../../src/tokenizer/bpe_trainer.ts";
import type { TimedEvaluation } from "./eval_worker.ts";
import { formatTable, type Measurement, median } from "./measurement.ts";
import { hasBf16, pythonWith, pytorchEnvironment } from "./pytorch_process.ts";
import { evaluationShapes } from "./shapes.ts";
import { WorkerProcess } from "./worker_process.ts";

/** Tried on the sample, by lm-evaluation-harness and by llama.cpp. */
const batchSizes = [1, 8, 32, 64];
const sequenceCounts = [1, 4, 16];
/** One document in so many belongs to the sample. */
const sampleStep = 40;

/** PyTorch's ways to run the model. torch.compile is for the quantization of activations, by transformers. */
function pytorchSettings(): { name: string; dtype: string; environment: NodeJS.ProcessEnv }[] {
  return ["float32", ...(hasBf16() ? ["bfloat16"] : [])].flatMap((dtype) => [
    { name: `${dtype} compiled`, dtype, environment: {} },
    { name: `${dtype} eager`, dtype, environment: { TORCHDYNAMO_DISABLE: "1" } },
  ]);
}

export interface EvaluationContestOptions {
  threads: number;
  rounds: number;
  dataDirectory?: string;
  /** At most so many documents. */
  limit?: number;
}

interface Contender {
  name: string;
  worker: WorkerProcess;
  /** The line that asks for the documents of a folder. */
  command: (folder: string) => string;
  /** Takes part in the first round only. */
  isSlow?: boolean;
  turns: TimedEvaluation[];
}

async function documentsOf({ dataDirectory, limit }: EvaluationContestOptions): Promise<string[]> {
  const task = dataDirectory === undefined ? "toy_arc" : "arc_easy";
  const { documents } = await new TaskData({ dataDirectory }).documents(new TaskRegistry().find(task), "test");
  return documents.slice(0, limit).map(({ document }) => JSON.stringify(document));
}

/** A data folder with these documents. */
function writeDocuments(folder: string, documents: readonly string[]): string {
  mkdirSync(path.join(folder, "arc_easy"), { recursive: true });
  writeFileSync(path.join(folder, "arc_easy/test.jsonl"), `${documents.join("\n")}\n`);
  return folder;
}

/** The same random model for everybody: a GGUF file, and packed for transformers, which unpacks it once. */
async function writeModels(folder: string, shape: string, documents: readonly string[]) {
  const config = resolveModelConfig(
    modelConfigSchema.parse({
      num_key_value_heads: 4,
      max_position_embeddings: 1024,
      hidden_act: "silu",
      ...evaluationShapes[shape],
    }),
  );
  const tokenizer = await trainBpe(documents, { vocabSize: Math.min(8192, config.vocabSize) });
  const models = { gguf: path.join(folder, `${shape}.gguf`), transformers: path.join(folder, shape) };
  const parameters = randomParameters(config, 1);
  const gguf = planExport(config, tokenizer, { target: "llama.cpp", type: "tq2_0", name: shape });
  await exportModel(gguf, models.gguf, parameters);
  const packed = planExport(config, tokenizer, { target: "transformers" });
  await exportModel(packed, models.transformers, parameters);
  return models;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** Those who take part, each in a process of its own. */
class EvaluationContest {
  readonly contenders: Contender[] = [];
  private readonly workers = new Set<WorkerProcess>();
  private readonly shape: string;
  private readonly threads: number;
  private readonly models: Awaited<ReturnType<typeof writeModels>>;
  /** Folder of the documents on which the fastest settings are found. */
  private readonly sample: string;

  constructor(shape: string, threads: number, models: EvaluationContest["models"], sample: string) {
    this.shape = shape;
    this.threads = threads;
    this.models = models;
    this.sample = sample;
  }

  /** Ourselves, then lm-evaluation-harness and llama.cpp where they are installed. */
  async enterAll(): Promise<void> {
    const worker = await this.start("bitnet-lab", process.execPath, this.ourArguments);
    await this.enterFastest([{ name: "bitnet-lab", worker, command: (data) => data, turns: [] }]);
    const python = pythonWith("lm_eval");
    if (python !== undefined) {
      await this.enterFastest(await this.transformers(python), ({ name }) => name.endsWith("batch 1"));
    }
    const peer = process.env.NODE_LLAMA_CPP;
    if (peer !== undefined) await this.enterFastest(await this.llamaCpp(peer));
  }

  /** Every contender on every part; those that are slow only on the first. */
  async run(parts: readonly string[]): Promise<void> {
    for (const [round, part] of parts.entries()) {
      for (const each of this.contenders) {
        if (round === 0 || !each.isSlow) each.turns.push(await each.worker.ask(each.command(part)));
      }
    }
  }

  stop(): void {
    for (const worker of this.workers) worker.stop();
  }

  private get ourArguments(): string[] {
    const script = path.join(import.meta.dirname, "eval_worker.ts");
    return ["--import", "tsx", script, this.models.gguf, String(this.threads)];
  }

  private async transformers(python: string): Promise<Contender[]> {
    const candidates: Contender[] = [];
    const script = path.join(import.meta.dirname, "lm_eval_worker.py");
    const threads = String(this.threads);
    for (const { name, dtype, environment } of pytorchSettings()) {
      const worker = await this.start(`lm-eval ${name}`, python, [script, this.models.transformers, dtype, threads], {
        ...pytorchEnvironment(),
        OMP_NUM_THREADS: threads,
        ...environment,
      });
      for (const batch of batchSizes) {
        const command = (data: string) => `${batch} ${data}`;
        candidates.push({ name: `lm-eval, transformers ${name}, batch ${batch}`, worker, command, turns: [] });
      }
    }
    return candidates;
  }

  private async llamaCpp(peer: string): Promise<Contender[]> {
    const candidates: Contender[] = [];
    for (const count of sequenceCounts) {
      const name = `llama.cpp, ${count} sequence${count === 1 ? "" : "s"}`;
      const worker = await this.start(name, process.execPath, [...this.ourArguments, peer, String(count)]);
      candidates.push({ name, worker, command: (data) => data, turns: [] });
    }
    return candidates;
  }

  private async start(name: string, program: string, programArguments: string[], environment = {}) {
    const worker = new WorkerProcess(name, program, programArguments, environment);
    this.workers.add(worker);
    await worker.answer();
    return worker;
  }

  /** Adds the fastest on the sample, and what is `kept` beside it; the others leave. */
  private async enterFastest(candidates: Contender[], kept: (candidate: Contender) => boolean = () => false) {
    const seconds = new Map<Contender, number>();
    for (const each of candidates) {
      // The first time compiles and warms up.
      await each.worker.ask(each.command(this.sample));
      const timed = await each.worker.ask<TimedEvaluation>(each.command(this.sample));
      console.log(`  ${this.shape}, ${each.name}: ${timed.seconds.toFixed(2)} s for the sample`);
      seconds.set(each, timed.seconds);
    }
    const byTime = [...candidates].sort((a, b) => seconds.get(a)! - seconds.get(b)!);
    const chosen = new Set(byTime.slice(0, 1));
    const alsoKept = byTime.find(kept);
    if (alsoKept && !chosen.has(alsoKept)) chosen.add(Object.assign(alsoKept, { isSlow: true }));
    for (const { worker } of candidates) {
      if (![...chosen].some((each) => each.worker === worker)) worker.stop();
    }
    this.contenders.push(...chosen);
  }
}

/** A contender's row. @param sizes documents of each round; @param ours our own turns */
function measurement({ name, turns }: Contender, sizes: readonly number[], ours: readonly TimedEvaluation[]) {
  const scored = sum(turns.map((_, round) => sizes[round]!));
  const average = (metric: "acc" | "acc_norm") =>
    sum(turns.map((turn, round) => turn[metric] * sizes[round]!)) / scored;
  return {
    contender: name,
    documents: scored,
    documents_per_second: scored / sum(turns.map(({ seconds }) => seconds)),
    ratio: median(turns.map((turn, round) => turn.seconds / ours[round]!.seconds)),
    acc: average("acc"),
    acc_norm: average("acc_norm"),
    peak_rss_mb: turns.at(-1)!.peak_rss_mb,
  };
}

/** One row per contender. `ratio` is its time over ours, the median over the rounds. */
export async function evaluationContest(shape: string, options: EvaluationContestOptions): Promise<Measurement[]> {
  const { threads, rounds } = options;
  const folder = mkdtempSync(path.join(tmpdir(), "bitnet-contest-"));
  let contest: EvaluationContest | undefined;
  try {
    const documents = await documentsOf(options);
    const models = await writeModels(folder, shape, documents);
    const every = (step: number, offset: number) => documents.filter((_, i) => i % step === offset);
    const sample = writeDocuments(path.join(folder, "sample"), every(sampleStep, 0));
    contest = new EvaluationContest(shape, threads, models, sample);
    await contest.enterAll();
    const parts = Array.from({ length: rounds }, (_, round) => every(rounds, round));
    await contest.run(parts.map((part, round) => writeDocuments(path.join(folder, `part-${round}`), part)));
    const sizes = parts.map(({ length }) => length);
    const ours = contest.contenders[0]!.turns;
    const task = options.dataDirectory === undefined ? "toy_arc" : "arc_easy";
    return contest.contenders.map((each) => ({ shape, task, threads, ...measurement(each, sizes, ours) }));
  } finally {
    contest?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      "data-dir": { type: "string" },
      threads: { type: "string", default: String(allowedThreads()) },
      rounds: { type: "string", default: "4" },
      limit: { type: "string" },
    },
  });
  for (const shape of positionals.length > 0 ? positionals : ["M"]) {
    const rows = await evaluationContest(shape, {
      threads: Number(values.threads),
      rounds: Number(values.rounds),
      dataDirectory: values["data-dir"],
      limit: values.limit === undefined ? undefined : Number(values.limit),
    });
    console.log(`\n${formatTable(rows, Object.keys(rows[0]!))}`);
  }
}

if (import.meta.filename === process.argv[1]) await main();
