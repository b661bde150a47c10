import { describe, expect, it } from "vitest";
import { type ModelConfigJson, modelConfigSchema, resolveModelConfig } from "../../src/config/model_config.ts";
import { checkPackable, exportTypes } from "../../src/config/packing_rules.ts";

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

describe("checkPackable", () => {
  it("accepts every type for sizes in multiples of 256 and f16 scales", () => {
    for (const type of exportTypes) expect(checkPackable(config({}), type)).toBeNull();
  });

  it("names the keys, the rule and the types that work", () => {
    expect(checkPackable(config({ intermediate_size: 1408 }), "tq2_0")).toBe(
      "tq2_0 packs rows in blocks of 256 weights, and intermediate_size (1408) is no multiple of 256: " +
        "use --type i2_s or f16 or f32, or change the key and train again",
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
    expect(exportTypes.filter((type) => checkPackable(f32, type) === null)).toEqual(["i2_s", "f32"]);
  });

  it("knows that a model without a weight quantizer has nothing ternary", () => {
    const float = config({ weight_quantizer: "none", scale_dtype: "f32" });
    expect(exportTypes.filter((type) => checkPackable(float, type) === null)).toEqual(["f16", "f32"]);
  });
});
