/**
 * Files that llama.cpp's own quantizer wrote, in our reader and engine.
 *
 *     python3 -m venv venv && venv/bin/pip install gguf
 *     npm install --prefix /tmp/nlc --ignore-scripts node-llama-cpp
 *     npx tsx experiments/oracles/quantized_by_llama_cpp.ts venv/bin/python /tmp/nlc/node_modules/node-llama-cpp
 *
 * Small models of each family, trained for `--steps` (40) on the generated world and exported as floats, are quantized by
 * llama_model_quantize (quantized_by_llama_cpp.py) to every type that it writes. Of each file:
 *
 * - the values of every tensor must be to the bit those of ggml's to_float, and of gguf (PyPI) where it knows the type;
 * - log-probabilities of the engine must be to the bit those of the F32 file that ggml made of it, where both compute alike;
 * - of ternary models, tensors of ternary types must have the bytes of our own export;
 * - perplexity over `--tokens` (1000) held-out bytes must be llama.cpp's on the same file within 0.5%;
 * - types that are not read must be refused by name.
 *
 * Exit code 1 if one is not so.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { exportModel, planExport } from "../../export/index.ts";
import { selectBackend } from "../../native/backend/select_backend.ts";
import { readValues } from "../../src/checkpoint/gguf/stored_rows.ts";
import type { ModelConfigJson } from "../../src/config/model_config.ts";
import { GgufFile } from "../../src/gguf/gguf_reader.ts";
import { trainSmallModel } from "../../test/support/trained_model.ts";
import { llamaCppLosses, meanLoss, ourLogProbsOf, windowsOf } from "./text_losses.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    steps: { type: "string", default: "40" },
    tokens: { type: "string", default: "1000" },
    only: { type: "string" },
  },
});
const [python, packageFolder] = positionals;
if (packageFolder === undefined) throw new Error("usage: quantized_by_llama_cpp.ts PYTHON NODE_LLAMA_CPP_FOLDER");

const decoder = { hidden_act: "silu", norm_placement: "pre", num_hidden_layers: 2 } as const;
const float = { weight_quantizer: "none", activation_quantizer: "none" } as const;
const qwen3 = { ...decoder, qk_norm: true, head_dim: 64, rms_norm_eps: 1e-6 } as const;
const gemma3 = {
  ...decoder,
  norm_placement: "pre_post",
  hidden_act: "gelu_tanh",
  qk_norm: true,
  head_dim: 64,
} as const;
const windowKeys = { sliding_window: 64, rope_theta: 1000000, embedding_multiplier: 16, num_hidden_layers: 6 } as const;
/** No multiples of 256: the quantizer takes Q8_0, Q5_1, Q5_0 and Q4_0 instead of types with larger blocks. */
const narrow = { hidden_size: 192, intermediate_size: 320, num_attention_heads: 6, num_key_value_heads: 2 } as const;
/** As other programs' files are: without our keys. */
const models: [name: string, type: string, foreign: boolean, keys: Partial<ModelConfigJson>][] = [
  ["BitNet, ternary", "f16", false, { hidden_act: "silu", num_hidden_layers: 2 }],
  ["Llama, ternary", "f16", false, decoder],
  ["Qwen3, ternary", "f16", false, qwen3],
  ["Llama, ternary, foreign", "f32", true, decoder],
  ["Llama, float", "f32", true, { ...decoder, ...float }],
  ["Llama, narrow", "f32", true, { ...decoder, ...float, ...narrow }],
  ["Qwen2, float", "bf16", true, { ...decoder, ...float, qkv_bias: true }],
  ["Qwen3, float", "f16", true, { ...qwen3, ...float }],
  ["Gemma 3, float", "f16", true, { ...gemma3, ...windowKeys, ...float }],
];
/** Names as llama_ftype_name has them. */
const ternaryTypes = ["TQ1_0 - 1.69 bpw ternary", "TQ2_0 - 2.06 bpw ternary", "Q2_0"];
const read = [
  ...[
    "F16",
    "BF16",
    "Q8_0",
    "Q4_0",
    "Q4_1",
    "Q5_0",
    "Q5_1",
    "Q4_K - Small",
    "Q4_K - Medium",
    "Q5_K - Small",
    "Q5_K - Medium",
    "Q6_K",
  ],
  ...[...ternaryTypes, "Q1_0"],
];
/** Of them these make no ternary weights of ternary ones: a file whose keys say ternary is refused. */
const lossy = read.filter((type) => /^Q[456]/.test(type));
const unread = ["Q2_K - Medium", "Q3_K - Medium", "IQ4_NL - 4.5 bpw", "IQ4_XS - 4.25 bpw"];

interface Job {
  name: string;
  type: string;
  source: string;
  out: string;
  twin: string;
  /** Our own export of the model in that type; "" if it has none. */
  ours: string;
  /** What must be said of it; null if it is read. */
  refusal: RegExp | null;
  windows: Int32Array[];
}

await selectBackend();
const folder = mkdtempSync(path.join(tmpdir(), "quantized-by-llama-cpp-"));

/** Other keys of the same length: nobody reads them. */
function withoutOurKeys(file: string): void {
  const bytes = readFileSync(file);
  for (let at = bytes.indexOf("bitnet-lab."); at >= 0; at = bytes.indexOf("bitnet-lab.", at))
    bytes.write("other-keys.", at);
  writeFileSync(file, bytes);
}

async function jobsOf(at: number): Promise<Job[]> {
  const [name, type, foreign, keys] = models[at];
  const { model, tokenizer, heldOutIds } = trainSmallModel(keys, Number(values.steps));
  const write = async (type: string) => {
    const file = path.join(folder, `${at}-${type}-ours.gguf`);
    await exportModel(planExport(model.config, tokenizer, { target: "llama.cpp", type, name }), file, async (each) =>
      model.parameters.get(each)!.dataSync<"float32">(),
    );
    if (foreign) withoutOurKeys(file);
    return file;
  };
  const source = await write(type);
  const isTernary = model.config.weightQuantizer !== "none" && !foreign;
  const jobs: Job[] = [];
  for (const type of [...read, ...unread]) {
    const out = path.join(folder, `${at}-${jobs.length}.gguf`);
    const ours = isTernary && ternaryTypes.includes(type) ? await write(type.split(" ")[0].toLowerCase()) : "";
    const windows = windowsOf(heldOutIds.subarray(0, Number(values.tokens)), 250);
    const notTernary = isTernary && lossy.includes(type);
    const isQ4 = keys.hidden_size !== undefined && /^Q[23]_K/.test(type);
    const refusal = unread.includes(type) && !isQ4 ? /is not read/ : notTernary ? /its weights are not ternary/ : null;
    jobs.push({ name, type, source, out, twin: `${out}.f32`, ours, refusal, windows });
  }
  model.dispose();
  return jobs;
}

function quantized(jobs: readonly Job[]): { fault: string | null; otherwise: string[] | null }[] {
  const system = `${process.platform === "win32" ? "win" : process.platform === "darwin" ? "mac" : "linux"}-${process.arch}`;
  const libraries = path.join(packageFolder, `../@node-llama-cpp/${system}/bins/${system}`);
  const script = path.join(import.meta.dirname, "quantized_by_llama_cpp.py");
  const { status, stdout, stderr } = spawnSync(python, [script, libraries], {
    input: JSON.stringify(jobs.map(({ type, source, out, twin }) => ({ type, source, out, twin }))),
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr.trim().split("\n").at(-1));
  return JSON.parse(stdout);
}

/** Tensors whose values we read otherwise than ggml does. */
async function readOtherwise(out: string, twin: string): Promise<string[]> {
  const files = [await GgufFile.open(out), await GgufFile.open(twin)];
  const wrong: string[] = [];
  for (const { name } of files[0].tensors) {
    const [ours, theirs] = await Promise.all(files.map((file) => readValues(file, name)));
    const [a, b] = [ours, theirs].map((each) => new Uint32Array(each.buffer, each.byteOffset, each.length));
    if (a.length !== b.length || a.some((bits, i) => bits !== b[i])) wrong.push(name);
  }
  await Promise.all(files.map((file) => file.close()));
  return wrong;
}

/** Tensors of ternary types whose bytes are not those of our own export. */
async function packedOtherwise(out: string, ours: string): Promise<string[]> {
  const files = [await GgufFile.open(out), await GgufFile.open(ours)];
  const wrong: string[] = [];
  for (const { name, type } of files[0].tensors) {
    if (type.name !== files[1].info(name).type.name) continue;
    const [a, b] = await Promise.all(files.map((file) => file.read(name)));
    if (Buffer.compare(a, b) !== 0) wrong.push(name);
  }
  await Promise.all(files.map((file) => file.close()));
  return wrong;
}

/** "6 Q4_K, 1 Q6_K" of the matrices. */
async function typesOf(out: string): Promise<string> {
  const file = await GgufFile.open(out);
  const counts = new Map<string, number>();
  for (const { type, shape } of file.tensors) {
    if (shape.length > 1) counts.set(type.name, (counts.get(type.name) ?? 0) + 1);
  }
  await file.close();
  return [...counts].map(([name, count]) => `${count} ${name}`).join(", ");
}

const theirLoss = await llamaCppLosses(packageFolder);
const faults: string[] = [];

async function check({ name, type, out, twin, ours, windows }: Job, otherwise: string[] | null): Promise<string> {
  const complain = (what: string) => faults.push(`${name}, ${type}: ${what}`);
  const types = await typesOf(out);
  if (otherwise?.length) complain(`ggml and gguf differ in ${otherwise}`);
  const wrong = await readOtherwise(out, twin);
  if (wrong.length > 0) complain(`other values in ${wrong}`);
  if (ours !== "") {
    const packed = await packedOtherwise(out, ours);
    if (packed.length > 0) complain(`other bytes than ours in ${packed}`);
  }
  const logProbs = await ourLogProbsOf(out, windows);
  const ofTwin = await ourLogProbsOf(twin, windows).catch((error: Error) => error.message);
  const asTwin =
    typeof ofTwin === "string"
      ? ofTwin
      : logProbs.every((each, i) => each === ofTwin[i])
        ? "the same"
        : (meanLoss(ofTwin) - meanLoss(logProbs)).toExponential(2);
  const [loss, theirs] = [meanLoss(logProbs), await theirLoss(out, windows)];
  const difference = Math.exp(theirs - loss) - 1;
  if (Math.abs(difference) >= 0.005) complain(`perplexity ${(100 * difference).toFixed(3)}%`);
  const perplexities = `${Math.exp(loss).toFixed(4)} | ${Math.exp(theirs).toFixed(4)} | ${(100 * difference).toFixed(3)}%`;
  return `${types} | ${perplexities} | ${asTwin}`;
}

for (const at of models.keys()) {
  if (values.only !== undefined && !models[at][0].includes(values.only)) continue;
  const jobs = await jobsOf(at);
  for (const [i, { fault, otherwise }] of quantized(jobs).entries()) {
    const job = jobs[i];
    const line = `${job.name} | ${job.type}`;
    if (fault !== null) {
      console.log(`${line} | llama.cpp: ${fault}`);
      continue;
    }
    try {
      const found = await check(job, otherwise);
      if (job.refusal !== null) faults.push(`${job.name}, ${job.type}: was read`);
      console.log(`${line} | ${found}`);
    } catch (error) {
      const { message } = error as Error;
      if (job.refusal?.test(message) !== true) faults.push(`${line}: ${message}`);
      console.log(`${line} | refused: ${message.replace(/^.*\.gguf: /, "")}`);
    }
    for (const file of [job.out, job.twin]) rmSync(file, { force: true });
  }
}
rmSync(folder, { recursive: true });
for (const fault of faults) console.log(`FAULT ${fault}`);
process.exit(faults.length > 0 ? 1 : 0);
