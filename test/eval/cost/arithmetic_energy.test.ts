/** The estimate against the figures that the report of BitNet b1.58 2B4T prints for published models. */
import { expect, test } from "vitest";
import { arithmeticEnergy } from "../../../src/eval/cost/arithmetic_energy.ts";
import { shapeOfConfig } from "../../../src/language_model/server/served_shape.ts";

const config = (
  model_type: string,
  [hidden_size, num_hidden_layers, num_attention_heads, num_key_value_heads, head_dim, intermediate_size]: number[],
) => ({
  model_type,
  hidden_size,
  num_hidden_layers,
  num_attention_heads,
  num_key_value_heads,
  head_dim,
  intermediate_size,
  torch_dtype: "bfloat16",
});

// Shapes from the models' config.json; joules and gigabytes without embedding from arXiv 2504.12285, table 1.
test.each<[string, object, number, number]>([
  ["LLaMA 3.2 1B", config("llama", [2048, 16, 32, 8, 64, 8192]), 0.258, 2],
  ["Gemma-3 1B", config("gemma3_text", [1152, 26, 4, 1, 256, 6912]), 0.186, 1.4],
  ["Qwen2.5 1.5B", config("qwen2", [1536, 28, 12, 2, 128, 8960]), 0.347, 2.6],
  ["SmolLM2 1.7B", config("llama", [2048, 24, 32, 32, 64, 8192]), 0.425, 3.2],
])("%s", (_, json, joules, gigabytes) => {
  const { shape, linearBytes } = shapeOfConfig(json);
  expect(arithmeticEnergy(shape!)).toBeCloseTo(joules, 3);
  expect(Math.abs(linearBytes! / 1e9 - gigabytes)).toBeLessThan(0.06);
});

test("BitNet b1.58 2B4T: additions of int8", () => {
  const { shape, linearBytes } = shapeOfConfig(config("bitnet", [2560, 30, 20, 5, 128, 6912]));
  expect(arithmeticEnergy(shape!)).toBeCloseTo(0.028, 3);
  expect(linearBytes).toBeNull();
});

test("other models, and configs without a key, have no estimate", () => {
  expect(shapeOfConfig(config("gpt2", [768, 12, 12, 12, 64, 3072])).shape).toBeNull();
  expect(shapeOfConfig({ model_type: "llama", hidden_size: 8 }).shape).toBeNull();
  expect(shapeOfConfig(null).shape).toBeNull();
});
