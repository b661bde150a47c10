import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { planExport } from "../../export/export_plan.ts";
import { exportedModel } from "../../export/exported_model.ts";
import {
  transformersConfig,
  transformersExportBytes,
  writeTransformersExport,
} from "../../export/transformers_export.ts";
import { verifyTransformers } from "../../export/verify/verify_transformers.ts";
import { loadCausalLM, openCheckpoint } from "../../src/checkpoint/checkpoint.ts";
import { SafetensorsFile } from "../../src/checkpoint/safetensors_file.ts";
import type { ModelConfigJson } from "../../src/config/model_config.ts";
import { CausalLM } from "../../src/model/causal_lm.ts";
import { readerOf, smallConfig, smallParameters, smallTokenizer } from "./small_model.ts";

const folder = mkdtempSync(path.join(tmpdir(), "transformers-export-"));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(() => tf.setBackend("cpu"));

const ids = () => tf.tensor2d([[1, 99, 42, 7, 250, 8, 8, 13]], [1, 8], "int32");

async function exported(type: string, changes: Partial<ModelConfigJson> = {}) {
  const config = smallConfig({ hidden_size: 64, intermediate_size: 96, num_hidden_layers: 1, ...changes });
  const parameters = smallParameters(config);
  const plan = planExport(config, smallTokenizer(), { target: "transformers", type });
  const directory = path.join(folder, type);
  let bytes = 0;
  await writeTransformersExport(directory, plan, readerOf(parameters), (written) => {
    bytes += written;
  });
  expect(bytes).toBe(transformersExportBytes(plan));
  return { config, parameters, plan, directory };
}

/** Logits of the trained model and of the directory, read as any Hugging Face checkpoint is. */
async function bothLogits({ config, parameters, plan, directory }: Awaited<ReturnType<typeof exported>>) {
  const { config: exportedConfig, parameter } = exportedModel(plan);
  const values = (name: string) => parameter(name, parameters.get(name)!);
  const checkpoint = await openCheckpoint(directory);
  const models = [
    new CausalLM(config, { parameters: (name) => parameters.get(name)! }),
    new CausalLM(exportedConfig, { parameters: values }),
    await loadCausalLM(checkpoint),
  ];
  await checkpoint.tensors.close();
  return models.map((model) => {
    const logits = model.logits(ids()).dataSync() as Float32Array;
    model.dispose();
    return logits;
  });
}

describe("an export for transformers", () => {
  it.each(["f16", "bf16", "f32", "q8_0"] as const)(
    "packs the trained model, embedding %s: its logits are the same",
    async (dtype) => {
      const made = await exported("packed_uint8", { embedding_dtype: dtype });
      expect(await verifyTransformers(made.directory, made.plan, readerOf(made.parameters))).toMatchObject({
        ternaryMatrices: 7,
        floatTensors: 6,
      });
      const [trained, , read] = await bothLogits(made);
      expect(read).toEqual(trained);
    },
  );

  it("of latent weights is the model with float32 scales", async () => {
    const made = await exported("f32");
    await verifyTransformers(made.directory, made.plan, readerOf(made.parameters));
    const [trained, different, read] = await bothLogits(made);
    expect(read).toEqual(different);
    expect(read).not.toEqual(trained);
  });

  it("of a Llama-shaped float model is a Llama", async () => {
    const made = await exported("f32", {
      hidden_act: "silu",
      use_sub_norms: false,
      weight_quantizer: "none",
      activation_quantizer: "none",
      tie_word_embeddings: false,
    });
    const [trained, , read] = await bothLogits(made);
    expect(read).toEqual(trained);
    expect(transformersConfig(made.plan)).toMatchObject({ model_type: "llama", architectures: ["LlamaForCausalLM"] });
  });

  it("has the files and keys that from_pretrained asks for", async () => {
    const { directory } = await exported("packed_uint8");
    expect(readdirSync(directory).sort()).toEqual([
      "README.md",
      "config.json",
      "generation_config.json",
      "model.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    const json = (name: string) => JSON.parse(readFileSync(path.join(directory, name), "utf8"));
    expect(json("config.json")).toMatchObject({
      model_type: "bitnet",
      hidden_act: "relu2",
      eos_token_id: 258,
      tie_word_embeddings: true,
      rope_parameters: { rope_type: "default", rope_theta: 500000 },
      quantization_config: { quant_method: "bitnet", linear_class: "autobitlinear", quantization_mode: "offline" },
    });
    expect(json("config.json")).not.toHaveProperty("weight_quantizer");
    expect(json("tokenizer_config.json").tokenizer_class).toBe("PreTrainedTokenizerFast");
    const file = await SafetensorsFile.open(path.join(directory, "model.safetensors"));
    expect(file.metadata).toEqual({ format: "pt" });
    expect(file.info("model.layers.0.self_attn.k_proj.weight")).toEqual({ dtype: "U8", shape: [8, 64] });
    expect(file.info("model.layers.0.self_attn.k_proj.weight_scale")).toEqual({ dtype: "F32", shape: [1] });
    // transformers does not cast a float16 embedding: it would run the whole model in float16.
    expect(file.names().every((name) => ["F32", "U8"].includes(file.info(name).dtype))).toBe(true);
    await file.close();
  });

  it("finds a wrong code when it reads back", async () => {
    const { directory, plan, parameters } = await exported("packed_uint8");
    const other = new Map(parameters);
    const name = "model.layers.0.mlp.down_proj.weight";
    const weights = parameters.get(name)!.slice();
    // Another sign leaves the scale as it is, so that one code differs and no other.
    const at = weights.findIndex((value, i) => i > 1000 && value > 0.04);
    weights[at] = -weights[at];
    other.set(name, weights);
    await expect(verifyTransformers(directory, plan, readerOf(other))).rejects.toThrow(
      `${name}, element ${at}: 1 in the file, -1 by the checkpoint`,
    );
  });
});
