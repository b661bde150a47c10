/** Checkpoints that transformers saved, of every family and rope type: their logits are transformers' (family_vectors.py). */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadCausalLM, openCheckpoint, parameterReader } from "../../src/checkpoint/checkpoint.ts";
import { readModelConfig } from "../../src/checkpoint/model_config_json.ts";
import { SafetensorsFile } from "../../src/checkpoint/safetensors_file.ts";
import { writeCheckpoint } from "../../src/checkpoint/write_checkpoint.ts";
import { relativeDifference } from "../support/relative_difference.ts";
import { testedBackends, useBackend } from "../support/tfjs_backends.ts";

const golden = path.resolve(import.meta.dirname, "../golden/families");
const models = readdirSync(golden).filter((name) => !name.includes("."));
const folder = mkdtempSync(path.join(tmpdir(), "families-"));
afterAll(() => rmSync(folder, { recursive: true }));

const logits = new Map<string, Float32Array>();
let ids: number[];
beforeAll(async () => {
  const file = await SafetensorsFile.open(path.join(golden, "vectors.safetensors"));
  ids = [...new Int32Array((await file.readBytes("ids")).slice().buffer)];
  for (const name of models) logits.set(name, await file.readFloat32(name));
  await file.close();
});

async function ourLogits(directory: string): Promise<Float32Array> {
  const checkpoint = await openCheckpoint(directory);
  const model = await loadCausalLM(checkpoint);
  await checkpoint.tensors.close();
  const values = tf.tidy(() =>
    model
      .logits(tf.tensor2d([ids], [1, ids.length], "int32"))
      .dataSync<"float32">()
      .slice(),
  );
  model.dispose();
  return values;
}

describe.each(testedBackends)("on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  test.each(models)("%s has transformers' logits", async (name) => {
    expect(relativeDifference(await ourLogits(path.join(golden, name)), logits.get(name)!)).toBeLessThan(2e-5);
  });
});

test.each(models)("%s, written by us, is the same model to the bit", async (name) => {
  await useBackend(testedBackends[0]);
  const checkpoint = await openCheckpoint(path.join(golden, name));
  const again = path.join(folder, name);
  const parameters = parameterReader(checkpoint);
  await writeCheckpoint(again, { config: checkpoint.config, tokenizer: null, parameters });
  const [ours, theirs] = [await ourLogits(again), await ourLogits(path.join(golden, name))];
  expect(ours).toEqual(theirs);
  const written = JSON.parse(readFileSync(path.join(again, "config.json"), "utf8"));
  // Gemma's checkpoints store other gains than ours.
  const type = name === "gemma3" ? "bitnet-lab" : checkpoint.configJson.model_type;
  expect(written.model_type).toBe(type);
  await checkpoint.tensors.close();
});

describe("what is another model is refused by name", () => {
  const json = (name: string) => JSON.parse(readFileSync(path.join(golden, name, "config.json"), "utf8"));
  const read = (name: string, keys: Record<string, unknown>) => () =>
    readModelConfig({ ...json(name), ...keys }, () => "F32");

  test.each<[string, Record<string, unknown>, string]>([
    [
      "qwen3",
      { model_type: "olmo3", architectures: undefined },
      'model_type "olmo3" is not supported, only bitnet, llama,',
    ],
    ["qwen3", { architectures: ["Qwen3ForSequenceClassification"] }, "is not supported, only BitNetForCausalLM,"],
    ["qwen3", { model_type: "qwen2" }, "model_type is qwen2 and architectures is Qwen3ForCausalLM"],
    [
      "llama",
      { rope_parameters: { rope_type: "longrope" } },
      'rope_parameters: rope type "longrope" is not supported, only',
    ],
    [
      "llama",
      { rope_scaling: { type: "dynamic", factor: 2 } },
      'rope type "dynamic" is not supported, only "default", "linear", "llama3" and "yarn"',
    ],
    ["llama_yarn", { rope_scaling: { type: "linear", factor: 2 } }, "rope_parameters and rope_scaling differ"],
    [
      "llama_yarn",
      { rope_parameters: { rope_type: "yarn", factor: 4, attention_factor: 1.5 } },
      "rope_parameters.attention_factor 1.5 is not supported",
    ],
    [
      "llama_llama3",
      { rope_parameters: { rope_type: "llama3", factor: 8, high_freq_factor: 4 } },
      "rope_parameters.low_freq_factor:",
    ],
    ["qwen3", { use_sliding_window: true, sliding_window: 8 }, "use_sliding_window true is not supported"],
    ["llama", { qk_norm: true }, "qk_norm true is not supported"],
    ["gemma3", { query_pre_attn_scalar: 168 }, "query_pre_attn_scalar 168 is not supported, only that of head_dim"],
    ["gemma3", { hidden_activation: "gelu" }, 'hidden_activation "gelu" is not supported'],
    [
      "gemma3",
      { layer_types: ["full_attention", "full_attention", "sliding_attention"] },
      "layer_types is not supported",
    ],
    ["gemma3", { final_logit_softcapping: 30 }, "final_logit_softcapping 30 is not supported"],
    [
      "gemma3",
      { rope_parameters: { full_attention: {}, sliding_attention: { rope_type: "yarn" } } },
      'rope_parameters.sliding_attention: rope type "yarn"',
    ],
    ["qwen2", { attention_bias: true }, "attention_bias true is not supported"],
    ["qwen3", { mlp_bias: true }, "mlp_bias true is not supported"],
  ])("%s with %j", (name, keys, message) => {
    expect(read(name, keys)).toThrow(message);
  });

  test("a file of ours whose model_type is another family's", async () => {
    const directory = path.join(folder, "wrong");
    cpSync(path.join(folder, "qwen3"), directory, { recursive: true });
    const file = path.join(directory, "config.json");
    const written = JSON.parse(readFileSync(file, "utf8"));
    writeFileSync(file, JSON.stringify({ ...written, model_type: "llama", architectures: ["LlamaForCausalLM"] }));
    await expect(openCheckpoint(directory)).rejects.toThrow("no model of model_type llama has qk_norm: true");
  });
});
