/** Which types and quantizers of the embedding go together. */
import { expect, test } from "vitest";
import { type ModelConfigJson, modelConfigSchema, resolveModelConfig } from "../../src/config/model_config.ts";

const shape: ModelConfigJson = {
  hidden_size: 128,
  num_hidden_layers: 1,
  intermediate_size: 128,
  num_attention_heads: 2,
};
const resolve = (keys: Partial<ModelConfigJson>) => resolveModelConfig(modelConfigSchema.parse({ ...shape, ...keys }));

test.each<[Partial<ModelConfigJson>, RegExp]>([
  [{ hidden_size: 48, embedding_dtype: "int8_row" }, /^embedding_dtype int8_row needs a hidden_size.* multiple of 32$/],
  [{ hidden_size: 65568, embedding_dtype: "int8_row" }, /at most 65536/],
  [
    { embedding_quantizer: "absmean_ternary", embedding_dtype: "int8_row" },
    /^embedding_quantizer absmean_ternary .* does not hold: set embedding_dtype: f16 or f32$/,
  ],
  [{ embedding_quantizer: "absmean_ternary", scale_dtype: "f32" }, /set embedding_dtype: f32$/],
  [{ embedding_quantizer: "lsq_ternary" }, /learns parameters/],
  [{ embedding_quantizer: "tequila_ternary" }, /adds a bias/],
  [{ embedding_quantizer: { type: "absmean_ternary_group", group_size: 256 } }, /multiple of 256, not 128/],
])("%j is refused", (keys, message) => {
  expect(() => resolve(keys)).toThrow(message);
});

test("by default the embedding has no quantizer; groups that divide the width are taken", () => {
  expect(resolve({}).embeddingQuantizer).toBe("none");
  const quantizer = { type: "absmean_ternary_group", group_size: 128 };
  expect(resolve({ embedding_quantizer: quantizer }).embeddingQuantizer).toMatchObject(quantizer);
});
