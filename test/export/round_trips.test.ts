/**
 * Checkpoint -> X -> checkpoint, for every target and type that takes the model: all codes and scales that X can hold, and all
 * floats as X rounds them, come back. What X cannot hold is refused, or said as a change, which is then what comes back.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ExportRefusedError } from "../../export/export_error.ts";
import { exportedModel } from "../../export/exported_model.ts";
import { exportModel, planExport } from "../../export/index.ts";
import { targetNames } from "../../export/targets/targets.ts";
import { openCheckpoint, parameterReader } from "../../src/checkpoint/checkpoint.ts";
import { embeddingQuantizerOf } from "../../src/config/embedding_keys.ts";
import type { ModelConfig, ModelConfigJson } from "../../src/config/model_config.ts";
import { weightQuantizerOf } from "../../src/config/model_quantizers.ts";
import type { EmbeddingType } from "../../src/config/table_types.ts";
import { exportTypes } from "../../src/config/tensor_fit.ts";
import { modelParameters, type ParameterSpec } from "../../src/model/parameters.ts";
import { roundRows } from "../../src/quant/round_to_dtype.ts";
import { weightValues } from "../../src/quantizers/weight_quantizer.ts";
import { readerOf, smallConfig, smallParameters, smallTokenizer } from "./small_model.ts";

const folder = mkdtempSync(path.join(tmpdir(), "round-trips-"));
afterAll(() => rmSync(folder, { recursive: true }));

const float = { weight_quantizer: "none", activation_quantizer: "none" } as const;
const group = (size: 64 | 128 | 256) => ({ type: "absmean_ternary_group", group_size: size });
const decoder = { hidden_act: "silu", norm_placement: "pre" } as const;

const models: Record<string, Partial<ModelConfigJson>> = {
  "BitNet, relu^2": {},
  "BitNet, SiLU": { hidden_act: "silu" },
  "BitNet, float32 scales": { scale_dtype: "f32" },
  "BitNet, bfloat16 scales": { scale_dtype: "bf16" },
  "BitNet, float": float,
  "Llama, ternary": decoder,
  "Llama, float": { ...decoder, ...float },
  "Llama, float with biases": { ...decoder, ...float, attention_bias: true, mlp_bias: true },
  "Qwen2, ternary": { ...decoder, qkv_bias: true },
  "Qwen3, ternary": { ...decoder, qk_norm: true, head_dim: 128 },
  "Gemma 3, ternary": {
    ...{ norm_placement: "pre_post", hidden_act: "gelu_tanh", qk_norm: true, head_dim: 64, embedding_multiplier: 16 },
    ...{ sliding_window: 64, rope_theta: 1000000 },
  },
  "a scale a row": { ...decoder, weight_quantizer: "absmean_ternary_row" },
  "groups of 64": { ...decoder, weight_quantizer: group(64) },
  "groups of 128": { ...decoder, weight_quantizer: group(128) },
  "groups of 256": { ...decoder, weight_quantizer: group(256) },
  "an int8 head": { ...decoder, embedding_dtype: "int8_row" },
  "a ternary head": { ...decoder, embedding_quantizer: group(128), tie_word_embeddings: false },
  "learnt steps": { ...decoder, weight_quantizer: { type: "lsq_ternary", scale_per: "row" } },
};
/** Types in which each target takes them, in the order of the targets; every one of them is a round trip. */
const taken: Record<keyof typeof models, readonly string[]> = {
  "BitNet, SiLU": ["tq2_0 tq1_0 i2_s q2_0 f16 f32", "tq2_0 tq1_0 q2_0 f16 f32", "i2_s", "f32 packed_uint8"],
  "BitNet, bfloat16 scales": ["tq2_0 tq1_0 i2_s q2_0 f16 f32 bf16", "", "i2_s", "f32 packed_uint8"],
  "BitNet, float": ["f16 f32 bf16 q8_0", "", "", "f32"],
  "BitNet, float32 scales": ["i2_s f32", "", "i2_s", "f32 packed_uint8"],
  "BitNet, relu^2": ["tq2_0 tq1_0 i2_s q2_0 f16 f32", "", "i2_s", "f32 packed_uint8"],
  "Gemma 3, ternary": ["tq2_0 tq1_0 i2_s q2_0 f16 f32", "tq2_0 tq1_0 q2_0 f16 f32", "", ""],
  "Llama, float": ["f16 f32 bf16 q8_0", "f16 f32 bf16 q8_0", "", "f32"],
  "Llama, float with biases": ["f16 f32 bf16 q8_0", "f16 f32 bf16 q8_0", "", "f32"],
  "Llama, ternary": ["tq2_0 tq1_0 i2_s q2_0 f16 f32", "tq2_0 tq1_0 q2_0 f16 f32", "", "f32 packed_uint8"],
  "Qwen2, ternary": ["tq2_0 tq1_0 i2_s q2_0 f16 f32", "tq2_0 tq1_0 q2_0 f16 f32", "", "f32 packed_uint8"],
  "Qwen3, ternary": ["tq2_0 tq1_0 i2_s q2_0 f16 f32", "tq2_0 tq1_0 q2_0 f16 f32", "", "f32 packed_uint8"],
  "a scale a row": ["tq2_0 tq1_0 q2_0 f16 f32", "tq2_0 tq1_0 q2_0 f16 f32", "", ""],
  "a ternary head": ["tq2_0 tq1_0 i2_s q2_0 f16 f32", "tq2_0 tq1_0 q2_0 f16 f32", "", "f32 packed_uint8"],
  "an int8 head": ["tq2_0 tq1_0 i2_s q2_0 f16 f32", "tq2_0 tq1_0 q2_0 f16 f32", "", "f32 packed_uint8"],
  "groups of 64": ["q2_0 f16 f32", "q2_0 f16 f32", "", ""],
  "groups of 128": ["q2_0 f16 f32", "q2_0 f16 f32", "", ""],
  "groups of 256": ["tq2_0 tq1_0 q2_0 f16 f32", "tq2_0 tq1_0 q2_0 f16 f32", "", ""],
  "learnt steps": ["tq2_0 tq1_0 q2_0 f16 f32", "tq2_0 tq1_0 q2_0 f16 f32", "", ""],
};
const linearTypes = [...exportTypes, "packed_uint8"];
const embeddingTypes: readonly EmbeddingType[] = ["bf16", "f32", "q8_0"];

type Read = (name: string) => Promise<Float32Array>;

/** What a parameter is to the model: of a quantized one level times scale. */
async function meaning(config: ModelConfig, spec: ParameterSpec, read: Read): Promise<Float32Array> {
  const { name, kind, shape } = spec;
  const latent = await read(name);
  const [rows, cols] = [shape[0]!, shape[shape.length - 1]!];
  const quantizer =
    kind === "matrix" ? weightQuantizerOf(config) : kind === "embedding" ? embeddingQuantizerOf(config) : null;
  if (quantizer !== null) {
    const learnt = modelParameters(config).filter((each) => each.learnt?.matrix.name === name);
    return weightValues(quantizer, latent, { rows, cols }, await Promise.all(learnt.map((each) => read(each.name))));
  }
  return kind === "embedding" ? roundRows(latent, cols, config.embeddingDtype) : latent;
}

/** Null if the target refuses the model in these types; else how many parameters came back. */
async function roundTrip(config: ModelConfig, target: string, type: string, embeddingType: EmbeddingType | undefined) {
  const parameters = smallParameters(config);
  let plan: ReturnType<typeof planExport>;
  try {
    plan = planExport(config, smallTokenizer(), { target, type, embeddingType });
  } catch (error) {
    if (error instanceof ExportRefusedError) return null;
    throw error;
  }
  const out = path.join(folder, target === "transformers" ? "folder" : "model.gguf");
  rmSync(out, { recursive: true, force: true });
  await exportModel(plan, out, readerOf(parameters));
  const expected = exportedModel(plan);
  const quantization = config.normPlacement === "sub" && target === "transformers" ? "none" : undefined;
  const isFloat = weightQuantizerOf(config) === null;
  const checkpoint = await openCheckpoint(out, isFloat && quantization ? { quantization } : {});
  try {
    const stands: Read = async (name) => expected.parameter(name, parameters.get(name)!);
    const specs = modelParameters(expected.config).filter(({ kind }) => kind !== "quantizer");
    for (const spec of specs) {
      const right = await meaning(expected.config, spec, stands);
      const found = await meaning(checkpoint.config, spec, parameterReader(checkpoint));
      // The -0 of a code is a 0.
      const at = right.findIndex((value, i) => value !== found[i]);
      if (at >= 0 || found.length !== right.length) {
        throw new Error(`${target} ${type} ${embeddingType}: ${spec.name} at ${at}: ${found[at]} for ${right[at]}`);
      }
    }
    return specs.length;
  } finally {
    await checkpoint.tensors.close();
  }
}

describe("from a checkpoint and back", () => {
  it.each(Object.entries(models))("%s", async (name, keys) => {
    const config = smallConfig({ num_hidden_layers: 1, ...keys });
    const found: string[] = [];
    for (const target of targetNames) {
      const types: string[] = [];
      for (const type of linearTypes) {
        const count = await roundTrip(config, target, type, undefined);
        if (count === null) continue;
        // Other types of the embedding once.
        if (types.length === 0) for (const each of embeddingTypes) await roundTrip(config, target, type, each);
        types.push(type);
      }
      found.push(types.join(" "));
    }
    expect(found).toEqual(taken[name]);
  });
});
