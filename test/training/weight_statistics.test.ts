import * as tf from "@tensorflow/tfjs";
import { beforeEach, describe, expect, it } from "vitest";
import { modelConfigSchema, resolveModelConfig } from "../../src/config/model_config.ts";
import { WeightStatistics } from "../../training/weight_statistics.ts";
import { testedBackends, useBackend } from "../support/tfjs_backends.ts";

const shape = {
  hidden_size: 4,
  num_hidden_layers: 1,
  intermediate_size: 4,
  num_attention_heads: 1,
  vocab_size: 3,
};

describe.each(testedBackends)("WeightStatistics on %s", (backend) => {
  beforeEach(() => useBackend(backend));

  it("counts zero codes and flips of ternary matrices only", () => {
    const statistics = new WeightStatistics(resolveModelConfig(modelConfigSchema.parse(shape)));
    // absmean 0.8: codes 1 1 0 -1, then 1 0 0 -1.
    const matrix = tf.variable(tf.tensor2d([[1, 1.2, 0.1, -0.9]]));
    const embedding = tf.variable(tf.tensor2d([[0, 0, 0, 0]]));
    const name = "model.layers.0.self_attn.q_proj.weight";
    statistics.before(name, matrix);
    matrix.assign(tf.tensor2d([[1, 0.1, 0.1, -0.9]]));
    statistics.after(name, matrix);
    statistics.before("model.embed_tokens.weight", embedding);
    statistics.after("model.embed_tokens.weight", embedding);
    expect(statistics.zeroFraction).toBe(0.5);
    expect(statistics.flipRate).toBe(0.25);
  });

  it("has nothing to say of a float model", () => {
    const statistics = new WeightStatistics(
      resolveModelConfig(modelConfigSchema.parse({ ...shape, weight_quantizer: "none" })),
    );
    const matrix = tf.variable(tf.tensor2d([[1, 1, 0, 0]]));
    statistics.before("model.layers.0.self_attn.q_proj.weight", matrix);
    statistics.after("model.layers.0.self_attn.q_proj.weight", matrix);
    expect(statistics.zeroFraction).toBeUndefined();
    expect(statistics.flipRate).toBeUndefined();
  });
});
