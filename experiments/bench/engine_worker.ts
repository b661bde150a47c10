/**
 * One contender of the inference benchmark: prefill and decode of a GGUF file by our engine, llama.cpp or bitnet.cpp.
 *
 *     tsx experiments/bench/engine_worker.ts FILE.gguf THREADS PROMPT_TOKENS DECODE_TOKENS canonical|int8|FOLDER
 *
 * Our engine with that head precision, or llama.cpp from the folder of node-llama-cpp, or bitnet.cpp's llama-bench from the
 * folder it was built in. Commands on stdin: "prefill" runs the prompt in an empty context, "decode" draws tokens one by one
 * after a first one, greedily (llama-bench: given tokens). Each answers with a line of JSON, {@link TimedTokens}.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { EngineRun, type RunOptions } from "../../native/inference/benchmark.ts";
import { Engine } from "../../native/inference/engine.ts";
import { headPrecisions } from "../../native/inference/native_engine.ts";

/** What our engine says of the file in its first line; the others say nothing of it. */
export interface StoredTypes {
  type?: string;
  head?: string;
}

/** The first line. */
export interface Introduction extends StoredTypes {
  /** True if every command runs in a process of its own, which warms up before it measures. */
  outside?: true;
}

export interface TimedTokens {
  seconds: number;
  /** Absent for a program that this worker starts for every command. */
  peak_rss_mb?: number;
}

interface Contender {
  /** Each sets the context back first, and returns the seconds of the work itself. */
  prefill(): Promise<number>;
  decode(): Promise<number>;
  outside?: true;
}

async function llamaCpp(
  file: string,
  threads: number,
  { promptTokens, decodeTokens }: RunOptions,
  folder: string,
): Promise<Contender> {
  const { getLlama } = await import(pathToFileURL(path.join(folder, "dist/index.js")).href);
  const llama = await getLlama({ build: "never", gpu: false, logLevel: "error", maxThreads: threads });
  const model = await llama.loadModel({ modelPath: file, useMmap: true });
  const contextSize = Math.max(promptTokens, decodeTokens) + 2;
  const context = await model.createContext({ contextSize, batchSize: 512, threads });
  const sequence = context.getSequence();
  const prompt = Array.from({ length: promptTokens }, (_, i) => (i * 7919) % 256);
  return {
    prefill: async () => {
      await sequence.clearHistory();
      const start = performance.now();
      await sequence.evaluateWithoutGeneratingNewTokens(prompt);
      return (performance.now() - start) / 1000;
    },
    decode: async () => {
      await sequence.clearHistory();
      let start = 0;
      let drawn = 0;
      for await (const _ of sequence.evaluate([1], { temperature: 0, yieldEogToken: true })) {
        if (drawn === 0) start = performance.now();
        if (drawn++ === decodeTokens) break;
      }
      if (drawn <= decodeTokens) throw new Error(`llama.cpp ended after ${drawn} tokens`);
      return (performance.now() - start) / 1000;
    },
  };
}

/** Runs the program for every command: it loads the file, warms up and times one repetition. */
function bitnetCpp(
  file: string,
  threads: number,
  { promptTokens, decodeTokens }: RunOptions,
  program: string,
): Contender {
  const seconds = async (prompt: number, decode: number) => {
    const counts = ["-t", threads, "-p", prompt, "-n", decode, "-r", 1].map(String);
    const line = execFileSync(program, ["-m", file, ...counts, "-o", "json"], { encoding: "utf8", stdio: "pipe" });
    const [{ avg_ns }] = JSON.parse(line) as [{ avg_ns: number }];
    return avg_ns / 1e9;
  };
  return { prefill: () => seconds(promptTokens, 0), decode: () => seconds(0, decodeTokens), outside: true };
}

const [file, threads, promptTokens, decodeTokens, kind] = process.argv.slice(2);
const run: RunOptions = { promptTokens: Number(promptTokens), decodeTokens: Number(decodeTokens) };
const head = headPrecisions.find((name) => name === kind);
let contender: Contender;
let types: StoredTypes = {};
if (head) {
  const engine = await Engine.load(file!, { threads: Number(threads), headPrecision: head });
  types = { type: engine.config.weightType, head: engine.config.embeddingType };
  contender = new EngineRun(engine, run);
} else {
  const program = path.join(kind!, "bin/llama-bench");
  contender = existsSync(program)
    ? bitnetCpp(file!, Number(threads), run, program)
    : await llamaCpp(file!, Number(threads), run, kind!);
}

const introduction: Introduction = { ...types, outside: contender.outside };
console.log(JSON.stringify(introduction));
for await (const command of createInterface({ input: process.stdin })) {
  const seconds = await (command === "decode" ? contender.decode() : contender.prefill());
  const timed: TimedTokens = { seconds };
  if (!contender.outside) timed.peak_rss_mb = process.resourceUsage().maxRSS / 1000;
  console.log(JSON.stringify(timed));
}
