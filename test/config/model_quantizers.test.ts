/** What a configuration says about its quantizers: the questions, the rules between keys, the notes before a run. */
import { describe, expect, test } from "vitest";
import { type ModelConfigJson, modelConfigSchema, resolveModelConfig } from "../../src/config/model_config.ts";
import { hasTernaryWeights, isFloat, isQuantized } from "../../src/config/model_quantizers.ts";
import { productNotes } from "../../src/config/product_notes.ts";

const shape = { hidden_size: 256, num_hidden_layers: 1, intermediate_size: 512, num_attention_heads: 4 };
const config = (keys: Partial<ModelConfigJson>) => resolveModelConfig(modelConfigSchema.parse({ ...shape, ...keys }));
const group = { weight_quantizer: { type: "absmean_ternary_group" } };
const values = { weight_quantizer: { type: "absmean_ternary_group", product: "values" } };
const float = { weight_quantizer: "none", activation_quantizer: "none" };

test.each<[string, Partial<ModelConfigJson>, boolean, boolean, boolean]>([
  ["BitNet", {}, true, true, false],
  ["a scale per row", { weight_quantizer: "absmean_ternary_row" }, true, true, false],
  ["absmedian", { weight_quantizer: "absmedian_ternary" }, true, true, false],
  ["ternary weights alone", { activation_quantizer: "none" }, true, false, false],
  ["a scale per group", group, true, true, false],
  ["values", values, false, false, false],
  ["values, float activations", { ...values, activation_quantizer: "none" }, false, false, false],
  ["int8 activations alone", { weight_quantizer: "none" }, false, false, false],
  ["float", float, false, false, true],
])("%s", (_, keys, ternary, quantized, isFloatModel) => {
  const model = config({ ...keys, hidden_act: "silu", use_sub_norms: false });
  expect([hasTernaryWeights(model), isQuantized(model), isFloat(model)]).toEqual([ternary, quantized, isFloatModel]);
});

test("groups divide the rows of every linear layer", () => {
  const grouped = (group_size: number, keys: Partial<ModelConfigJson>) => () =>
    config({ ...keys, weight_quantizer: { type: "absmean_ternary_group", group_size } });
  expect(grouped(256, {})().weightQuantizer).toMatchObject({ group_size: 256 });
  expect(grouped(256, { intermediate_size: 640 })).toThrow(
    "weight_quantizer.group_size (256) must divide intermediate_size (640)",
  );
  expect(grouped(128, { hidden_size: 192, intermediate_size: 320 })).toThrow(
    "must divide hidden_size (192) and num_attention_heads x head_dim (192) and intermediate_size (320)",
  );
  expect(grouped(64, { hidden_size: 192, intermediate_size: 320 })).not.toThrow();
});

describe("notes before a run", () => {
  test("say how ternary weights with float activations, and values, are multiplied", () => {
    expect(productNotes(config({ activation_quantizer: "none" }))).toEqual([
      expect.stringMatching(/^absmean_ternary with activation_quantizer: none multiplies codes x scale as float32/),
    ]);
    expect(productNotes(config(group))).toEqual([]);
    expect(productNotes(config(values))).toEqual([expect.stringMatching(/^absmean_ternary_group multiplies its deq/)]);
  });

  test.each([{}, { weight_quantizer: "absmedian_ternary" }, float])("none for %j", (keys) => {
    expect(productNotes(config(keys))).toEqual([]);
  });
});
