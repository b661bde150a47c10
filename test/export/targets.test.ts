import { describe, expect, it } from "vitest";
import { type ExportChoice, planExport } from "../../export/export_plan.ts";
import { exportedModel } from "../../export/exported_model.ts";
import type { ExportPlan } from "../../export/targets/target.ts";
import type { ModelConfigJson } from "../../src/config/model_config.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { smallConfig, smallTokenizer } from "./small_model.ts";

const plan = (
  choice: ExportChoice,
  changes: Partial<ModelConfigJson> = {},
  tokenizer: Tokenizer | null = smallTokenizer(),
) => planExport(smallConfig(changes), tokenizer, choice);

const float = { weight_quantizer: "none", activation_quantizer: "none" } as const;
const llama = { ...float, hidden_act: "silu", norm_placement: "pre" } as const;
const qwen3 = { hidden_act: "silu", norm_placement: "pre", qk_norm: true } as const;
const llama3 = {
  type: "llama3",
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 64,
} as const;

describe("what each reader gets without being asked", () => {
  it.each([
    ["bitnet-lab", {}, "tq2_0"],
    ["bitnet-lab", float, "f32"],
    ["bitnet-lab", { scale_dtype: "f32" }, "i2_s"],
    ["bitnet-lab", { intermediate_size: 384 }, "i2_s"],
    ["llama.cpp", { hidden_act: "silu" }, "tq2_0"],
    ["llama.cpp", llama, "f32"],
    ["bitnet.cpp", {}, "i2_s"],
    ["bitnet.cpp", { hidden_act: "silu" }, "i2_s"],
    ["transformers", {}, "packed_uint8"],
    ["transformers", llama, "f32"],
    ["transformers", float, "f32"],
    ["transformers", { ...float, use_sub_norms: false }, "f32"],
    ["transformers", { use_sub_norms: false }, "packed_uint8"],
    ["transformers", qwen3, "packed_uint8"],
    ["llama.cpp", qwen3, "tq2_0"],
    ["llama.cpp", { hidden_act: "silu", norm_placement: "pre" }, "tq2_0"],
    ["llama.cpp", { ...llama, qkv_bias: true }, "f32"],
  ] as const)("%s, %j: %s", (target, changes, type) => {
    const made = plan({ target }, changes);
    expect(made.linearType).toBe(type);
    expect(made.changes).toEqual([]);
  });
});

describe("what a reader would compute wrongly is refused, with what would work", () => {
  it.each<[ExportChoice, Partial<ModelConfigJson>, RegExp]>([
    [{ target: "llama.cpp" }, {}, /hard-coded gated SiLU.*hidden_act: relu2: train with hidden_act: silu/],
    [{ target: "llama.cpp" }, { ...llama, activation_quantizer: "absmax_int8" }, /for quantized weights only/],
    [{ target: "llama.cpp" }, { ...llama, norm_placement: "sub" }, /both on, or with norm_placement: pre/],
    [{ target: "llama.cpp" }, { ...qwen3, attention_bias: true }, /llama.cpp's qwen3 models have no attention_bias/],
    [{ target: "llama.cpp" }, { ...qwen3, rope_scaling: llama3 }, /qwen3 models have no rope_scaling of type llama3/],
    [{ target: "llama.cpp" }, { ...qwen3, mlp_bias: true }, /no graph with (qk_norm|mlp_bias): true/],
    [{ target: "llama.cpp" }, { hidden_act: "silu", tie_word_embeddings: false }, /tie_word_embeddings: true/],
    [{ target: "llama.cpp" }, { hidden_act: "silu", head_dim: 128 }, /head_dim \(512\) must be hidden_size \(256\)/],
    [{ target: "llama.cpp", type: "i2_s" }, { hidden_act: "silu" }, /no I2_S.*--type tq2_0/],
    [{ target: "llama.cpp" }, { hidden_act: "silu", scale_dtype: "f32" }, /scale_dtype: f32/],
    [{ target: "llama.cpp" }, { hidden_act: "silu", use_hadamard: true }, /no graph with use_hadamard: true/],
    [
      { target: "llama.cpp" },
      { ...llama, norm_placement: "every_linear" },
      /no graph with norm_placement: every_linear/,
    ],
    [{ target: "bitnet.cpp" }, { feed_forward: "mlp" }, /no graph with feed_forward: mlp: export with .* bitnet-lab/],
    [{ target: "transformers" }, { ...float, feed_forward: "mlp" }, /no model with feed_forward: mlp/],
    [{ target: "transformers" }, { norm_placement: "every_linear" }, /no model with norm_placement: every_linear/],
    [{ target: "bitnet.cpp" }, { activation_quantizer: "none" }, /int8 activations only/],
    [{ target: "bitnet.cpp" }, { use_sub_norms: false }, /norm_placement: sub/],
    [{ target: "bitnet.cpp" }, { tie_word_embeddings: false }, /tied head/],
    [{ target: "bitnet.cpp" }, { head_dim: 128 }, /square q and o/],
    [{ target: "bitnet.cpp", type: "tq2_0" }, {}, /read I2_S, not tq2_0: use --type i2_s/],
    [{ target: "bitnet.cpp" }, { intermediate_size: 320 }, /intermediate_size \(320\) is no multiple of 128/],
    [{ target: "transformers", type: "tq2_0" }, {}, /does not read tq2_0: leave --type out/],
    [{ target: "transformers" }, { activation_quantizer: "none" }, /both quantizers or none, and this model has one/],
    [{ target: "transformers" }, { ...float, head_dim: 128 }, /attn_sub_norm of hidden_size/],
    [{ target: "transformers" }, { qk_norm: true }, /no model with qk_norm: true/],
    [{ target: "transformers" }, { head_dim: 128 }, /attn_sub_norm of hidden_size/],
    [{ target: "transformers", type: "packed_uint8" }, llama, /no ternary weights to pack/],
    [{ target: "transformers" }, { intermediate_size: 302 }, /must be multiples of 4, or use --type f32/],
    [{ target: "bitnet-lab", type: "tq2_0" }, float, /weight_quantizer: none: use --type f16 or f32/],
    [{ target: "bitnet-lab", type: "tq2_0" }, { scale_dtype: "f32" }, /scale_dtype: f32: use --type i2_s or f32/],
    [{ target: "bitnet-lab" }, { hidden_size: 160 }, /hidden_size \(160\) and num_attention_heads x head_dim \(160\)/],
    [
      { target: "bitnet-lab", embeddingType: "q8_0", type: "f16" },
      { hidden_size: 48 },
      /hidden_size \(48\) is no multiple of 32/,
    ],
    [{ target: "bitnet-lab" }, { rope_theta: 10000.1 }, /rope_theta \(10000.1\) is not a float32 number/],
  ])("%j of %j", (choice, changes, message) => {
    const made = () => plan(choice, changes);
    expect(made).toThrow(message);
    expect(made).toThrow(expect.objectContaining({ name: "ExportRefusedError" }));
  });

  it.each(["llama.cpp", "bitnet.cpp"] as const)(
    "%s without a tokenizer, or with one that it would split otherwise",
    (target) => {
      const changes = { hidden_act: target === "llama.cpp" ? "silu" : "relu2" } as const;
      expect(() => plan({ target }, changes, null)).toThrow(/aborts on a file without a vocabulary/);
      const odd = smallTokenizer({ json: { pre_tokenizer: { type: "ByteLevel", use_regex: false } } });
      expect(() => plan({ target }, changes, odd)).toThrow(/would split text in other places/);
    },
  );
});

describe("how the reader computes", () => {
  it.each([
    ["bitnet-lab", {}, null],
    ["llama.cpp", { hidden_act: "silu" }, /per 256 elements/],
    ["llama.cpp", llama, null],
    ["bitnet.cpp", {}, /from July 2026 on computes this model with SiLU/],
    ["bitnet.cpp", { hidden_act: "silu" }, null],
  ] as const)("%s, %j: %s", (target, changes, note) => {
    const made = plan({ target }, changes);
    if (note === null) expect(made.note).toBeNull();
    else expect(made.note).toMatch(note);
  });
});

describe("embedding and head of codes", () => {
  const groups = { embedding_quantizer: { type: "absmean_ternary_group", group_size: 128 } } as const;

  it.each([
    ["bitnet-lab", groups, undefined, "Q2_0"],
    ["bitnet-lab", { embedding_quantizer: "absmean_ternary_row" }, undefined, "Q2_0"],
    ["bitnet-lab", groups, "f16", "F16"],
    ["bitnet-lab", { embedding_quantizer: "int2" }, undefined, "F16"],
    ["bitnet-lab", {}, undefined, "F16"],
    ["llama.cpp", { ...groups, hidden_act: "silu" }, undefined, "F16"],
    ["llama.cpp", { ...groups, hidden_act: "silu" }, "q2_0", "Q2_0"],
  ] as const)("%s, %j as %s are %s, and the model stays what it is", (target, changes, embeddingType, type) => {
    const made = plan({ target, embeddingType }, changes);
    expect(made.tableType.name).toBe(type);
    expect(made.changes).toEqual([]);
    if (target === "llama.cpp" && type === "Q2_0") expect(made.note).toMatch(/reads Q2_0 from July 2026 on/);
  });

  it.each([
    [
      "bitnet-lab",
      {},
      /^embedding and head: q2_0 holds quantized weights, and this model has embedding_quantizer: none: use --embedding-type f16$/,
    ],
    ["bitnet-lab", { embedding_quantizer: "int2" }, /q2_0 has the levels -1, 0, 1, 2, and int2 -2, -1, 0, 1: /],
    ["bitnet.cpp", groups, /bitnet.cpp has no Q2_0 \(type 42\): use --embedding-type f16/],
  ] as const)("%s refuses Q2_0 of %j", (target, changes, message) => {
    expect(() => plan({ target, embeddingType: "q2_0" }, changes)).toThrow(message);
  });
});

const differences = (made: ExportPlan) => made.changes.map(({ text }) => text);

describe("a different model", () => {
  it("is named, and is what the training forward is asked to compute", () => {
    const embedding = plan({ target: "bitnet-lab", embeddingType: "q8_0" });
    expect(differences(embedding)).toEqual(["the embedding is q8_0, trained as f16"]);
    expect(exportedModel(embedding).config.embeddingDtype).toBe("q8_0");

    const latent = plan({ target: "transformers", type: "f32" });
    expect(differences(latent)).toEqual(["transformers recomputes the weight scales in f32, trained as f16"]);
    expect(exportedModel(latent).config.scaleDtype).toBe("f32");

    const rounded = plan({ target: "bitnet-lab", type: "f16" }, float);
    expect(differences(rounded)).toEqual(["the linear weights are rounded to f16, trained as f32"]);
    const values = Float32Array.of(1 / 3);
    const { parameter } = exportedModel(rounded);
    expect(parameter("model.layers.0.mlp.up_proj.weight", values)[0]).toBe(0.333251953125);
    expect(parameter("model.norm.weight", values)).toBe(values);
  });

  it("is none when ternary weights are written as floats", () => {
    expect(plan({ target: "bitnet-lab", type: "f16" }).changes).toEqual([]);
    expect(plan({ target: "bitnet-lab", type: "f32" }, { scale_dtype: "f32" }).changes).toEqual([]);
  });
});

describe("scales whose type nobody has named", () => {
  const planned = (choice: Partial<ExportChoice> = {}) =>
    plan({ target: "bitnet-lab", scalesMayRound: true, ...choice }, { scale_dtype: "f32" });

  it("are rounded to those of the type, which is a change that names what would keep them", () => {
    const made = planned();
    expect([made.linearType, made.config.scaleDtype]).toEqual(["tq2_0", "f16"]);
    expect(made.changes).toEqual([
      {
        text: "the weight scales are rounded to float16, config.json has them computed in float32 (--type i2_s keeps them)",
        config: { scaleDtype: "f16" },
      },
    ]);
  });

  it("stay where the type holds them", () => {
    for (const type of ["i2_s", "f32"]) {
      const made = planned({ type });
      expect([made.config.scaleDtype, made.changes]).toEqual(["f32", []]);
    }
    expect(planned({ target: "transformers" }).changes).toEqual([]);
  });
});
