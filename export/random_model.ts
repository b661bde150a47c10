/**
 * Models with random weights of a given shape, for benchmarks and tests of readers: what the published 2B4T would cost
 * on a machine, without its weights.
 */
import type { ReadParameter } from "../src/checkpoint/checkpoint.ts";
import {
  type ModelConfig,
  type ModelConfigJson,
  modelConfigSchema,
  resolveModelConfig,
} from "../src/config/model_config.ts";
import { modelParameters } from "../src/model/parameters.ts";
import { ternaryQuantizerOf } from "../src/quantizers/registry.ts";
import { mix32 } from "../src/random/counter_rng.ts";

/** arXiv 2505.09388. */
const qwen3 = {
  hidden_size: 2048,
  num_hidden_layers: 28,
  intermediate_size: 6144,
  num_attention_heads: 16,
  num_key_value_heads: 8,
  head_dim: 128,
  vocab_size: 151936,
  max_position_embeddings: 40960,
  rms_norm_eps: 1e-6,
  rope_theta: 1000000,
  hidden_act: "silu",
  norm_placement: "pre",
  qk_norm: true,
} as const;

/** Shapes by name. */
export const modelPresets: Record<string, ModelConfigJson> = {
  // arXiv 2504.12285
  "bitnet-b1.58-2B-4T": {
    hidden_size: 2560,
    num_hidden_layers: 30,
    intermediate_size: 6912,
    num_attention_heads: 20,
    num_key_value_heads: 5,
    vocab_size: 128256,
    max_position_embeddings: 4096,
    rope_theta: 500000,
  },
  "Qwen3-1.7B": qwen3,
  // Scales of 128 weights in linear layers, embedding and head; here with int8 activations.
  "Ternary-Bonsai-1.7B": {
    ...qwen3,
    weight_quantizer: ternaryQuantizerOf({ per: "group", size: 128 }, "integers"),
    embedding_quantizer: ternaryQuantizerOf({ per: "group", size: 128 }, "values"),
  },
};

export function presetConfig(name: string): ModelConfig {
  return resolveModelConfig(modelConfigSchema.parse(modelPresets[name]));
}

/**
 * Parameters drawn from a hash of (seed, name, element), one at a time: a third of the ternary codes are 0, embeddings
 * are uniform with the usual deviation, gains are 1.
 */
export function randomParameters(config: ModelConfig, seed: number): ReadParameter {
  const specs = modelParameters(config);
  return async (name) => {
    const index = specs.findIndex((spec) => spec.name === name);
    const { shape, kind } = specs[index]!;
    const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
    if (kind === "norm") return values.fill(1);
    if (kind === "bias") return values;
    const key = mix32(mix32(seed) + index);
    const deviation = config.initializerRange;
    if (kind === "embedding") {
      // Uniform in [-w, w) has the deviation w / sqrt(3).
      const width = deviation * Math.sqrt(3);
      for (let i = 0; i < values.length; i++) values[i] = mix32(key ^ Math.imul(i, 0x9e3779b1)) * (width / 2 ** 31);
      return values;
    }
    for (let i = 0; i < values.length; ) {
      let bits = mix32(key ^ Math.imul(i, 0x9e3779b1));
      for (const end = Math.min(i + 4, values.length); i < end; i++, bits >>>= 8) {
        values[i] = (((bits & 0xff) % 3) - 1) * deviation;
      }
    }
    return values;
  };
}
