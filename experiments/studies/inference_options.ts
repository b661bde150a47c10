/**
 * What the engine's options outside the law cost: perplexity of a text under each of them.
 *
 *     npx tsx experiments/studies/inference_options.ts TEXT MODEL.gguf [MODEL_Q8_0.gguf ...] [--windows 32] [--length 256]
 *
 * Every file is scored canonically, with float16 and 8-bit keys and values, and, if its head is Q8_0, with the int8 head.
 * Appends rows to experiments/results/inference_options.jsonl.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { Engine, type EngineOptions } from "../../native/inference/engine.ts";
import { tokenizerOf } from "../../src/gguf/gguf_tokenizer.ts";
import { appendJsonLines, environment, formatTable, type Measurement } from "../bench/measurement.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { windows: { type: "string", default: "32" }, length: { type: "string", default: "256" } },
});
const [textFile, ...files] = positionals;
if (files.length === 0) throw new Error("usage: inference_options.ts TEXT MODEL.gguf [...]");
const text = readFileSync(textFile!, "utf8");

const ways: (Pick<EngineOptions, "headPrecision" | "kvType"> & { name: string })[] = [
  { name: "canonical" },
  { name: "kv f16", kvType: "f16" },
  { name: "kv q8", kvType: "q8" },
  { name: "int8 head", headPrecision: "int8" },
  { name: "int8 head, kv q8", headPrecision: "int8", kvType: "q8" },
];

/** Mean negative log-likelihood of a token, in nats. */
async function loss(file: string, options: EngineOptions): Promise<{ nats: number; tokens: number; head: string }> {
  const engine = await Engine.load(file, options);
  try {
    const length = Math.min(Number(values.length), engine.config.contextLength);
    const ids = tokenizerOf(engine).encode(text.slice(0, Number(values.windows) * length * 8));
    const windows = Array.from({ length: Math.min(Number(values.windows), Math.floor(ids.length / length)) }, (_, i) =>
      Int32Array.from(ids.slice(i * length, (i + 1) * length)),
    );
    const scores = (await engine.score(windows)).flatMap(({ logprobs }) => Array.from(logprobs));
    const nats = -scores.reduce((sum, value) => sum + value, 0) / scores.length;
    return { nats, tokens: scores.length, head: engine.config.embeddingType };
  } finally {
    engine.dispose();
  }
}

const rows: Measurement[] = [];
let reference: number | undefined;
for (const file of files) {
  for (const { name, ...options } of ways) {
    const isQ8 = rows.some((row) => row.model === path.basename(file) && row.head === "Q8_0");
    if (options.headPrecision === "int8" && !isQ8) continue;
    const { nats, tokens, head } = await loss(file, options);
    reference ??= nats;
    rows.push({
      model: path.basename(file),
      head,
      options: name,
      tokens,
      nats_per_token: nats,
      perplexity_change_percent: 100 * (Math.exp(nats - reference) - 1),
    });
  }
}
console.log(formatTable(rows, Object.keys(rows[0]!)));
appendJsonLines(
  path.join(import.meta.dirname, "../results/inference_options.jsonl"),
  rows.map((row) => ({ ...environment(), text: path.basename(textFile!), ...row })),
);
