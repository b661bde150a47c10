/**
 * Inference side by side: our engine and llama.cpp, or bitnet.cpp, run the same GGUF file, each in a process of its own, in
 * turn.
 *
 *     npx tsx experiments/bench/engine_contest.ts [FILE.gguf] [--threads 1,2] [--rounds 5] [--prompt-tokens 512]
 *                                                 [--decode-tokens 64]
 *
 * Without a file: a random model of the small shape. I2_S files are bitnet.cpp's: it takes part when BITNET_CPP names the
 * folder it was built in. llama.cpp takes part with others that it runs when NODE_LLAMA_CPP names the folder of
 * node-llama-cpp. Figures are medians over the rounds.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { exportModel } from "../../export/export_model.ts";
import { planExport } from "../../export/export_plan.ts";
import { randomParameters } from "../../export/random_model.ts";
import { modelConfigSchema, resolveModelConfig } from "../../src/config/model_config.ts";
import { allowedThreads } from "../../src/machine/threads.ts";
import { byteLevelTokenizer } from "../../src/tokenizer/byte_level_tokenizer.ts";
import type { Introduction, StoredTypes, TimedTokens } from "./engine_worker.ts";
import { formatTable, type Measurement, median } from "./measurement.ts";
import { WorkerProcess } from "./worker_process.ts";

/** The small shape of the engine comparisons, in the only form that llama.cpp runs. */
export async function writeSmallModel(folder: string): Promise<string> {
  const config = resolveModelConfig(
    modelConfigSchema.parse({
      hidden_size: 512,
      num_hidden_layers: 8,
      num_attention_heads: 8,
      num_key_value_heads: 4,
      intermediate_size: 1536,
      vocab_size: 8192,
      max_position_embeddings: 1024,
      hidden_act: "silu",
    }),
  );
  const file = path.join(folder, "small.gguf");
  const plan = planExport(config, byteLevelTokenizer(), { target: "llama.cpp", type: "tq2_0", name: "small" });
  await exportModel(plan, file, randomParameters(config, 1));
  return file;
}

export interface EngineContestOptions {
  threads: readonly number[];
  rounds: number;
  promptTokens?: number;
  decodeTokens?: number;
}

interface Contender {
  name: string;
  worker: WorkerProcess;
  /** Tokens per second of every round. */
  prefill: number[];
  decode: number[];
  rss?: number;
  outside?: true;
}

/** The other program that runs files of this type. */
function peerOf(type: string | undefined): { name: string; folder: string | undefined } {
  return type === "I2_S"
    ? { name: "bitnet.cpp", folder: process.env.BITNET_CPP }
    : { name: "llama.cpp", folder: process.env.NODE_LLAMA_CPP };
}

/** One row per contender and thread count. `ratio` is the speed over the other program's. */
export async function engineContest(
  file: string,
  { threads, rounds, promptTokens = 512, decodeTokens = 64 }: EngineContestOptions,
): Promise<Measurement[]> {
  const rows: Measurement[] = [];
  const script = path.join(import.meta.dirname, "engine_worker.ts");
  for (const count of threads) {
    const contenders: Contender[] = [];
    /** Starts a contender and returns what it says of the file. */
    const enter = async (name: string, kind: string): Promise<StoredTypes> => {
      const run = [count, promptTokens, decodeTokens].map(String);
      const worker = new WorkerProcess(name, process.execPath, ["--import", "tsx", script, file, ...run, kind]);
      const contender: Contender = { name, worker, prefill: [], decode: [] };
      contenders.push(contender);
      const { outside, ...types } = await worker.answer<Introduction>();
      contender.outside = outside;
      return types;
    };
    let facts: StoredTypes;
    try {
      facts = await enter("bitnet-lab", "canonical");
      if (facts.head === "Q8_0") await enter("bitnet-lab, int8 head", "int8");
      const peer = peerOf(facts.type);
      if (peer.folder) await enter(peer.name, peer.folder);
      // The first round warms up.
      for (let round = 0; round <= rounds; round++) {
        for (const each of contenders) {
          if (round === 0 && each.outside) continue;
          const prefill = await each.worker.ask<TimedTokens>("prefill");
          const decode = await each.worker.ask<TimedTokens>("decode");
          each.rss = decode.peak_rss_mb;
          if (round === 0) continue;
          each.prefill.push(promptTokens / prefill.seconds);
          each.decode.push(decodeTokens / decode.seconds);
        }
      }
    } finally {
      for (const { worker } of contenders) worker.stop();
    }
    const other = contenders.find(({ name }) => name === peerOf(facts.type).name);
    for (const { name, prefill, decode, rss } of contenders) {
      rows.push({
        model: path.basename(file, ".gguf"),
        ...facts,
        threads: count,
        contender: name,
        prefill_tokens_per_second: median(prefill),
        decode_tokens_per_second: median(decode),
        ...(other
          ? {
              prefill_ratio: median(prefill) / median(other.prefill),
              decode_ratio: median(decode) / median(other.decode),
            }
          : {}),
        ...(rss === undefined ? {} : { peak_rss_mb: rss }),
      });
    }
  }
  return rows;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      threads: { type: "string", default: [...new Set([1, allowedThreads()])].join(",") },
      rounds: { type: "string", default: "5" },
      "prompt-tokens": { type: "string", default: "512" },
      "decode-tokens": { type: "string", default: "64" },
    },
  });
  const folder = mkdtempSync(path.join(tmpdir(), "bitnet-bench-"));
  try {
    const rows = await engineContest(positionals[0] ?? (await writeSmallModel(folder)), {
      threads: values.threads.split(",").map(Number),
      rounds: Number(values.rounds),
      promptTokens: Number(values["prompt-tokens"]),
      decodeTokens: Number(values["decode-tokens"]),
    });
    console.log(formatTable(rows, Object.keys(rows[0]!)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.filename === process.argv[1]) await main();
