/** The law (bits.test.ts) for the graphs of other families: QK norm, biases, scaled rotary embeddings. */
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { exportModel } from "../../export/export_model.ts";
import { planExport } from "../../export/export_plan.ts";
import type { ModelConfigJson } from "../../src/config/model_config.ts";
import type { ExportType } from "../../src/config/tensor_fit.ts";
import { GgufFile } from "../../src/gguf/gguf_reader.ts";
import {
  cuts,
  differingBits,
  engineScores,
  exportTrained,
  prepare,
  raggedSequences,
  setUpBits,
  trainingForward,
} from "../support/bits.ts";
import { type TrainedModel, trainSmallModel } from "../support/trained_model.ts";

const { folder, addon, variants } = setUpBits("bitnet-family-bits-");

const decoder: Partial<ModelConfigJson> = { hidden_act: "silu", norm_placement: "pre", num_hidden_layers: 2 };
// Heads apart from the width, as all Qwen3s have.
const qwen3: Partial<ModelConfigJson> = { ...decoder, qk_norm: true, rms_norm_eps: 1e-6, head_dim: 64 };
const float: Partial<ModelConfigJson> = {
  weight_quantizer: "none",
  activation_quantizer: "none",
  embedding_dtype: "f32",
};

async function architecture(file: string): Promise<unknown> {
  const gguf = await GgufFile.open(file);
  try {
    return gguf.scalar("general.architecture");
  } finally {
    await gguf.close();
  }
}

describe("bits: a ternary Qwen3", () => {
  let model: ReturnType<typeof prepare>;
  beforeAll(() => {
    model = prepare(qwen3, { tokens: 1000 });
  });

  it.each(variants)(
    "%s: training forward = engine, whole, in chunks and token by token",
    async (variant) => {
      addon.setVariant(variant);
      const some = variant === "scalar" ? model.sequences.slice(0, 4) : model.sequences;
      const expected = model.expected.slice(0, some.length);
      expect(differingBits(expected, trainingForward(model.trained, some, 3))).toBe(0);
      const file = await exportTrained(model.trained, "tq2_0", folder);
      expect(await architecture(file)).toBe("qwen3");
      for (const { threads, chunk } of variant === "scalar" ? cuts.slice(2, 3) : cuts) {
        expect(differingBits(expected, await engineScores(file, some, threads, chunk))).toBe(0);
      }
      addon.setVariant("");
    },
    300_000,
  );

  it("is not the model without its QK norm", () => {
    const { trained, expected, sequences } = model;
    const gain = trained.model.parameters.get("model.layers.0.self_attn.k_norm.weight")!;
    const before = gain.clone();
    gain.assign(gain.mul(1.5));
    expect(differingBits(expected.slice(0, 2), trainingForward(trained, sequences.slice(0, 2), 2))).toBeGreaterThan(0);
    gain.assign(before);
  });
});

describe("bits: a Gemma 3 with ternary weights, in its window and beyond", () => {
  let model: ReturnType<typeof prepare>;
  beforeAll(() => {
    const windows = { sliding_window: 37, sliding_window_pattern: 2, rope_local_theta: 1000, embedding_multiplier: 16 };
    const graph = { norm_placement: "pre_post", hidden_act: "gelu_tanh", qk_norm: true, ...windows } as const;
    model = prepare({ ...graph, num_hidden_layers: 2, rope_scaling: { type: "linear", factor: 2 } }, { tokens: 1000 });
  });

  it.each(variants)(
    "%s: training forward = engine, whole, in chunks and token by token",
    async (variant) => {
      addon.setVariant(variant);
      const some = variant === "scalar" ? model.sequences.slice(0, 4) : model.sequences;
      const expected = model.expected.slice(0, some.length);
      expect(differingBits(expected, trainingForward(model.trained, some, 3))).toBe(0);
      const file = await exportTrained(model.trained, "tq2_0", folder);
      expect(await architecture(file)).toBe("gemma3");
      for (const { threads, chunk } of variant === "scalar" ? cuts.slice(2, 3) : cuts) {
        expect(differingBits(expected, await engineScores(file, some, threads, chunk))).toBe(0);
      }
      addon.setVariant("");
    },
    300_000,
  );
});

/** Biases of zeros would prove nothing: a few steps move them, this moves them visibly. */
function shiftBiases({ model }: TrainedModel): void {
  for (const [name, variable] of model.parameters) {
    if (!name.endsWith(".bias")) continue;
    const values = Float32Array.from({ length: variable.size }, (_, i) => 0.1 * Math.sin(i + name.length));
    variable.assign(variable.add(values));
  }
}

describe("bits: other families", () => {
  const llama3 = { type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4 } as const;
  const yarn = { type: "yarn", factor: 4, original_max_position_embeddings: 64 } as const;
  const cases: [string, Partial<ModelConfigJson>, ExportType, "bitnet-lab" | "llama.cpp", string][] = [
    ["a float Qwen3", { ...qwen3, ...float }, "f32", "bitnet-lab", "qwen3"],
    [
      "Qwen3 with biases and yarn",
      { ...qwen3, attention_bias: true, rope_scaling: yarn },
      "tq1_0",
      "bitnet-lab",
      "qwen3",
    ],
    ["Qwen3 with row scales", { ...qwen3, weight_quantizer: "absmean_ternary_row" }, "f16", "bitnet-lab", "qwen3"],
    ["Qwen2", { ...decoder, qkv_bias: true }, "tq2_0", "bitnet-lab", "qwen2"],
    ["a float Qwen2", { ...decoder, ...float, qkv_bias: true }, "f32", "bitnet-lab", "qwen2"],
    [
      "a float Llama with biases and llama3 scaling",
      {
        ...decoder,
        ...float,
        attention_bias: true,
        mlp_bias: true,
        rope_scaling: { ...llama3, original_max_position_embeddings: 64 },
      },
      "f32",
      "bitnet-lab",
      "llama",
    ],
    [
      "a ternary Llama, linear scaling",
      { ...decoder, rope_scaling: { type: "linear", factor: 3 } },
      "tq2_0",
      "bitnet-lab",
      "bitnet-lab",
    ],
    ["the same for llama.cpp", { ...decoder, attention_bias: true }, "tq2_0", "llama.cpp", "llama"],
    [
      "ternary weights, float activations, for llama.cpp",
      { ...decoder, activation_quantizer: "none" },
      "f16",
      "llama.cpp",
      "llama",
    ],
    [
      "a BitNet with windows",
      { sliding_window: 20, sliding_window_pattern: 3, embedding_multiplier: 2, rope_theta: 1000 },
      "tq2_0",
      "bitnet-lab",
      "bitnet-lab",
    ],
    [
      "a BitNet with QK norm and biases",
      { qk_norm: true, mlp_bias: true, qkv_bias: true },
      "i2_s",
      "bitnet-lab",
      "bitnet-lab",
    ],
  ];
  it.each(cases)("%s", async (name, keys, type, target, expectedArchitecture) => {
    const dtype = type === "i2_s" ? ({ scale_dtype: "f32" } as const) : {};
    const trained = trainSmallModel({ ...keys, ...dtype, num_hidden_layers: 1 }, 2);
    shiftBiases(trained);
    const sequences = raggedSequences(trained.heldOutIds, 400);
    const plan = planExport(trained.model.config, trained.tokenizer, { target, type, name: "bits" });
    const file = path.join(folder, `${name}.gguf`);
    await exportModel(plan, file, async (each) => trained.model.parameters.get(each)!.dataSync() as Float32Array);
    expect(await architecture(file)).toBe(expectedArchitecture);
    const scores = await engineScores(file, sequences, 2, 50);
    expect(differingBits(trainingForward(trained, sequences, 3), scores)).toBe(0);
    trained.model.dispose();
  });
});
