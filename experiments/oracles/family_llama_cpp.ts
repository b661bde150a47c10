/**
 * Stock llama.cpp on small trained models of each family that it has a graph of: perplexity beside that of our engine on the
 * same file, F16 and TQ2_0, with every scaling of the rotary embedding.
 *
 *     npm install --prefix /tmp/nlc --ignore-scripts node-llama-cpp
 *     npx tsx experiments/oracles/family_llama_cpp.ts /tmp/nlc/node_modules/node-llama-cpp
 *
 * Trains each model for `--steps` (40) on the generated world, and scores `--tokens` (1000) held-out bytes in windows of 250.
 * Exit code 1 if a perplexity differs by 0.5% or more.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { exportModel } from "../../export/export_model.ts";
import { planExport } from "../../export/export_plan.ts";
import { selectBackend } from "../../native/backend/select_backend.ts";
import { Engine } from "../../native/inference/engine.ts";
import type { ModelConfigJson } from "../../src/config/model_config.ts";
import { trainSmallModel } from "../../test/support/trained_model.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { steps: { type: "string", default: "40" }, tokens: { type: "string", default: "1000" } },
});
const [packageFolder] = positionals;
if (packageFolder === undefined) throw new Error("usage: family_llama_cpp.ts NODE_LLAMA_CPP_FOLDER");

const windowLength = 250;
const decoder = { hidden_act: "silu", norm_placement: "pre", num_hidden_layers: 2 } as const;
const float = { weight_quantizer: "none", activation_quantizer: "none" } as const;
const qwen3 = { ...decoder, qk_norm: true, head_dim: 64, rms_norm_eps: 1e-6 } as const;
const original_max_position_embeddings = 64;
const llama3 = { type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4 } as const;
const gemma3 = { norm_placement: "pre_post", hidden_act: "gelu_tanh", qk_norm: true, head_dim: 64 } as const;
// A layer of six sees everything.
const windows = { sliding_window: 64, rope_theta: 1000000, embedding_multiplier: 16, num_hidden_layers: 6 } as const;
const models: [name: string, type: string, keys: Partial<ModelConfigJson>][] = [
  ["Qwen3, float", "f16", { ...qwen3, ...float }],
  ["Qwen3, ternary", "f16", qwen3],
  ["Qwen3, ternary", "tq2_0", qwen3],
  ["Qwen3, yarn", "f16", { ...qwen3, rope_scaling: { type: "yarn", factor: 4, original_max_position_embeddings } }],
  ["Qwen2, ternary", "tq2_0", { ...decoder, qkv_bias: true }],
  ["Llama, ternary", "tq2_0", decoder],
  ["Llama, biases", "f16", { ...decoder, ...float, attention_bias: true, mlp_bias: true }],
  ["Llama, linear", "f16", { ...decoder, ...float, rope_scaling: { type: "linear", factor: 4 } }],
  ["Llama, llama3", "f16", { ...decoder, ...float, rope_scaling: { ...llama3, original_max_position_embeddings } }],
  [
    "Llama, yarn",
    "f16",
    { ...decoder, ...float, rope_scaling: { type: "yarn", factor: 4, original_max_position_embeddings } },
  ],
  ["Gemma 3, float", "f16", { ...gemma3, ...windows, ...float }],
  ["Gemma 3, ternary", "tq2_0", { ...gemma3, ...windows }],
];

await selectBackend();
const { getLlama } = await import(pathToFileURL(path.join(packageFolder, "dist/index.js")).href);
const llama = await getLlama({ build: "never", gpu: false, logLevel: "error" });
const folder = mkdtempSync(path.join(tmpdir(), "family-llama-cpp-"));

/** Of ids after the first of each window, by llama.cpp. */
async function theirLoss(file: string, windows: readonly number[][]): Promise<number> {
  const model = await llama.loadModel({ modelPath: file });
  const context = await model.createContext({ contextSize: 512 });
  const sequence = context.getSequence();
  const wish = { generateNext: { probabilities: true, options: { temperature: 0 } } };
  let [sum, count] = [0, 0];
  for (const window of windows) {
    await sequence.clearHistory();
    const outputs: { next: { probabilities: Map<number, number> } }[] = await sequence.controlledEvaluate(
      window.map((id) => [id, wish]),
    );
    for (let at = 1; at < window.length; at++) {
      sum -= Math.log(outputs[at - 1].next.probabilities.get(window[at])!);
      count++;
    }
  }
  await context.dispose();
  await model.dispose();
  return sum / count;
}

async function ourLoss(file: string, windows: readonly number[][]): Promise<number> {
  const engine = await Engine.load(file);
  const scores = await engine.score(windows.map((window) => Int32Array.from(window)));
  engine.dispose();
  const all = scores.flatMap(({ logprobs }) => [...logprobs]);
  return -all.reduce((a, b) => a + b) / all.length;
}

let worst = 0;
try {
  for (const [i, [name, type, keys]] of models.entries()) {
    const { model, tokenizer, heldOutIds } = trainSmallModel(keys, Number(values.steps));
    const file = path.join(folder, `${i}.gguf`);
    await exportModel(planExport(model.config, tokenizer, { target: "llama.cpp", type, name }), file, async (each) =>
      model.parameters.get(each)!.dataSync<"float32">(),
    );
    model.dispose();
    const ids = [...heldOutIds.subarray(0, Number(values.tokens))];
    const windows = Array.from({ length: ids.length / windowLength }, (_, w) =>
      ids.slice(w * windowLength, (w + 1) * windowLength),
    );
    const [ours, theirs] = [Math.exp(await ourLoss(file, windows)), Math.exp(await theirLoss(file, windows))];
    const difference = theirs / ours - 1;
    worst = Math.max(worst, Math.abs(difference));
    console.log(
      `${name}, ${type}: ${ours.toFixed(4)} ours, ${theirs.toFixed(4)} llama.cpp, ${(100 * difference).toFixed(3)}%`,
    );
  }
} finally {
  rmSync(folder, { recursive: true });
}
process.exitCode = worst < 0.005 ? 0 : 1;
