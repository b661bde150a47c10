/**
 * One contender of the inference benchmark: prefill and decode of a GGUF file by our engine or by llama.cpp.
 *
 *     tsx experiments/bench/engine_worker.ts FILE.gguf THREADS canonical|int8|PACKAGE
 *
 * Our engine with that head precision, or, with the folder of node-llama-cpp, llama.cpp. Commands on stdin: "prefill N" appends N tokens
 * to an empty context, "decode N" draws N tokens one by one after a first one, greedily. Each answers with a line of
 * JSON, {@link TimedTokens}.
 */
import path from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { Engine } from "../../native/inference/engine.ts";
import { type HeadPrecision, headPrecisions } from "../../native/inference/native_engine.ts";

export interface TimedTokens {
  seconds: number;
  peak_rss_mb: number;
}

interface Contender {
  prefill(tokens: number): Promise<void>;
  /** Sets the context back, then decodes and returns the seconds that decoding took. */
  decode(tokens: number): Promise<number>;
  clear(): Promise<void>;
}

const contextLength = 1024;
const promptIds = (count: number) => Array.from({ length: count }, (_, i) => (i * 7919) % 256);

async function ours(file: string, threads: number, headPrecision: HeadPrecision): Promise<Contender> {
  const engine = await Engine.load(file, { threads, headPrecision });
  const session = engine.createSession({ capacity: Math.min(contextLength, engine.config.contextLength) });
  return {
    clear: () => session.truncate(0),
    prefill: async (tokens) => void (await session.prefill(promptIds(tokens))),
    decode: async (tokens) => {
      const [[first]] = await session.advance([{ slot: 0, ids: [1] }], 1);
      const start = performance.now();
      await session.advance([{ slot: 0, ids: [first] }], tokens);
      return (performance.now() - start) / 1000;
    },
  };
}

async function llamaCpp(file: string, threads: number, folder: string): Promise<Contender> {
  const { getLlama } = await import(pathToFileURL(path.join(folder, "dist/index.js")).href);
  const llama = await getLlama({ build: "never", gpu: false, logLevel: "error", maxThreads: threads });
  const model = await llama.loadModel({ modelPath: file, useMmap: true });
  const context = await model.createContext({ contextSize: contextLength, batchSize: 512, threads });
  const sequence = context.getSequence();
  return {
    clear: () => sequence.clearHistory(),
    prefill: (tokens) => sequence.evaluateWithoutGeneratingNewTokens(promptIds(tokens)),
    decode: async (tokens) => {
      let start = 0;
      let drawn = 0;
      for await (const _ of sequence.evaluate([1], { temperature: 0, yieldEogToken: true })) {
        if (drawn === 0) start = performance.now();
        if (drawn++ === tokens) break;
      }
      if (drawn <= tokens) throw new Error(`llama.cpp ended after ${drawn} tokens`);
      return (performance.now() - start) / 1000;
    },
  };
}

const [file, threads, kind] = process.argv.slice(2);
const head = headPrecisions.find((name) => name === kind);
const contender = await (head ? ours(file!, Number(threads), head) : llamaCpp(file!, Number(threads), kind!));

async function answer(command: string, tokens: number): Promise<TimedTokens> {
  await contender.clear();
  const start = performance.now();
  const decoded = command === "decode" ? await contender.decode(tokens) : undefined;
  if (decoded === undefined) await contender.prefill(tokens);
  return {
    seconds: decoded ?? (performance.now() - start) / 1000,
    peak_rss_mb: process.resourceUsage().maxRSS / 1000,
  };
}

console.log("{}");
for await (const line of createInterface({ input: process.stdin })) {
  const [command, tokens] = line.split(" ");
  console.log(JSON.stringify(await answer(command!, Number(tokens))));
}
