import { describe, expect, it } from "vitest";
import { type ModelConfigJson, modelConfigSchema, resolveModelConfig } from "../../src/config/model_config.ts";
import { checkPackable } from "../../src/config/packing_rules.ts";
import { exportTypes, fits, writableTypes } from "../../src/config/tensor_fit.ts";
import { f16 } from "../../src/gguf/types/f16.ts";
import { i2_s } from "../../src/gguf/types/i2_s.ts";
import type { WritableTensorType } from "../../src/gguf/types/tensor_type.ts";
import { tq2_0 } from "../../src/gguf/types/tq2_0.ts";
import type { WeightQuantizer } from "../../src/quantizers/weight_quantizer.ts";

const config = (changes: Partial<ModelConfigJson>) =>
  resolveModelConfig(
    modelConfigSchema.parse({
      hidden_size: 512,
      num_hidden_layers: 1,
      intermediate_size: 1536,
      num_attention_heads: 8,
      ...changes,
    }),
  );

/** What these tests speak of: a type that joins them changes nothing here. */
const known = ["tq2_0", "tq1_0", "i2_s", "f16", "f32", "bf16", "q8_0"];
const knownTypes = exportTypes.filter((type) => known.includes(type));

describe("checkPackable", () => {
  it("accepts every type of codes and of exact floats for sizes in multiples of 256 and f16 scales", () => {
    const held = knownTypes.filter((type) => checkPackable(config({}), type) === null);
    expect(held).toEqual(["tq2_0", "tq1_0", "i2_s", "f16", "f32"]);
    expect(checkPackable(config({}), "bf16")).toContain("bf16 stores bfloat16 scales");
    expect(checkPackable(config({}), "q8_0")).toContain("q8_0 rounds blocks of 32 weights by scales of their own");
  });

  it("names the keys, the rule and the types that work", () => {
    expect(checkPackable(config({ intermediate_size: 1408 }), "tq2_0")).toMatch(
      /^tq2_0 packs rows in blocks of 256 weights, and intermediate_size \(1408\) is no multiple of 256: use --type i2_s or .*f32, or change the key and train again$/,
    );
    expect(checkPackable(config({ intermediate_size: 1408 }), "i2_s")).toBeNull();
    expect(checkPackable(config({ head_dim: 40 }), "tq1_0")).toContain("num_attention_heads x head_dim (320)");
    expect(checkPackable(config({ hidden_size: 208 }), "i2_s")).toContain(
      "hidden_size (208) and num_attention_heads x head_dim (208) are no multiples of 128:",
    );
  });

  it("sends f32 scales to the types that hold them", () => {
    const f32 = config({ scale_dtype: "f32" });
    expect(checkPackable(f32, "tq1_0")).toContain("use --type i2_s or f32,");
    expect(knownTypes.filter((type) => checkPackable(f32, type) === null)).toEqual(["i2_s", "f32"]);
  });

  it("knows that a model without a weight quantizer has nothing ternary", () => {
    const float = config({ weight_quantizer: "none", scale_dtype: "f32" });
    expect(knownTypes.filter((type) => checkPackable(float, type) === null)).toEqual(["f16", "f32", "bf16", "q8_0"]);
  });
});

describe("fits", () => {
  const ternary: WeightQuantizer = {
    name: "test_quantizer",
    levels: [-1, 0, 1],
    scales: { per: "tensor" },
    scaleDtype: "f16",
    product: "ternary_tensor",
    fused: null,
    quantize: () => {
      throw new Error("the rules ask what a quantizer is, not what it makes");
    },
  };
  const held = (changes: Partial<WeightQuantizer>, size = 512) =>
    writableTypes
      .filter(({ name }) => known.includes(name.toLowerCase()))
      .filter((type) => fits(type, { ...ternary, ...changes }, [{ key: "k", size }]) === null);
  const names = (changes: Partial<WeightQuantizer>, size?: number) => held(changes, size).map(({ name }) => name);

  it("compares levels, scales, their dtype, the product and the length of rows", () => {
    expect(names({})).toEqual(["TQ2_0", "TQ1_0", "I2_S", "F16", "F32"]);
    expect(names({}, 384)).toEqual(["I2_S", "F16", "F32"]);
    expect(names({ scales: { per: "row" }, product: "ternary_row" })).toEqual(["TQ2_0", "TQ1_0", "F16", "F32"]);
    expect(names({ scales: { per: "row" }, product: "ternary_row", scaleDtype: "f32" })).toEqual(["F32"]);
    expect(names({ scaleDtype: "bf16" })).toEqual(["TQ2_0", "TQ1_0", "I2_S", "F16", "F32", "BF16"]);
    expect(names({ scales: { per: "group", size: 256 } })).toEqual(["TQ2_0", "TQ1_0", "F16", "F32"]);
    expect(names({ scales: { per: "group", size: 64 } })).toEqual(["F16", "F32"]);
    expect(names({ product: "values" })).toEqual(["F16", "F32"]);
    expect(names({ product: "values", scaleDtype: "f32" })).toEqual(["F32"]);
    expect(names({ levels: [-2, -1, 0, 1], product: "values" })).toEqual(["F16", "F32"]);
    expect(names({ levels: [-2, -1, 0, 1] })).toEqual(["F16", "F32"]);
    // 3 s has two more digits than s
    expect(names({ levels: [-3, -1, 1, 3], product: "values" })).toEqual(["F32"]);
  });

  it("says why", () => {
    const reason = (type: WritableTensorType, changes: Partial<WeightQuantizer>) =>
      fits(type, { ...ternary, ...changes }, []);
    expect(reason(i2_s, { scales: { per: "row" } })).toBe(
      "i2_s stores one scale per matrix, and test_quantizer has one per row",
    );
    expect(reason(tq2_0, { scales: { per: "group", size: 128 } })).toBe(
      "tq2_0 stores one scale per 256 weights, and test_quantizer has one per 128",
    );
    expect(reason(tq2_0, { product: "values" })).toBe(
      "tq2_0 is multiplied by its codes, and test_quantizer weights are by their float32 values",
    );
    expect(reason(tq2_0, { levels: [-2, 0, 2] })).toBe("tq2_0 has the levels -1, 0, 1, and test_quantizer -2, 0, 2");
    expect(reason(f16, { levels: [-3, 3] })).toBe("f16 rounds the products of the levels -3, 3 and their scales");
  });
});
