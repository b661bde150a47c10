import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { modelConfigSchema, resolveModelConfig } from "../../src/config/model_config.ts";
import { shapeOf } from "../../src/language_model/model_shape.ts";
import { CausalLM, ParameterError } from "../../src/model/causal_lm.ts";
import { initialValues } from "../../src/model/initialization.ts";
import { modelParameters, parameterCount, parameterSize } from "../../src/model/parameters.ts";
import { testedBackends, useBackend } from "../support/tfjs_backends.ts";

const small = {
  hidden_size: 32,
  num_hidden_layers: 2,
  intermediate_size: 48,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 11,
};

function config(overrides: object = {}) {
  return resolveModelConfig(modelConfigSchema.parse({ ...small, ...overrides }));
}

describe("parameter list", () => {
  test("tied BitNet: Hugging Face's names and shapes in forward order", () => {
    const list = modelParameters(config()).map(({ name, shape }) => `${name} ${shape}`);
    expect(list.slice(0, 12)).toEqual([
      "model.embed_tokens.weight 11,32",
      "model.layers.0.input_layernorm.weight 32",
      "model.layers.0.self_attn.q_proj.weight 32,32",
      "model.layers.0.self_attn.k_proj.weight 16,32",
      "model.layers.0.self_attn.v_proj.weight 16,32",
      "model.layers.0.self_attn.attn_sub_norm.weight 32",
      "model.layers.0.self_attn.o_proj.weight 32,32",
      "model.layers.0.post_attention_layernorm.weight 32",
      "model.layers.0.mlp.gate_proj.weight 48,32",
      "model.layers.0.mlp.up_proj.weight 48,32",
      "model.layers.0.mlp.ffn_sub_norm.weight 48",
      "model.layers.0.mlp.down_proj.weight 32,48",
    ]);
    expect(list.at(-1)).toBe("model.norm.weight 32");
  });

  test("an untied head adds lm_head; no sub-norms removes them; head_dim is free", () => {
    const names = modelParameters(config({ tie_word_embeddings: false, use_sub_norms: false })).map((s) => s.name);
    expect(names.at(-1)).toBe("lm_head.weight");
    expect(names.some((name) => name.includes("sub_norm"))).toBe(false);
    const wide = modelParameters(config({ head_dim: 16 }));
    expect(wide.find((s) => s.name.endsWith("0.self_attn.o_proj.weight"))?.shape).toEqual([32, 64]);
  });

  test("2B4T has 2.41 billion parameters", () => {
    const large = resolveModelConfig(
      modelConfigSchema.parse({
        hidden_size: 2560,
        num_hidden_layers: 30,
        intermediate_size: 6912,
        num_attention_heads: 20,
        num_key_value_heads: 5,
        vocab_size: 128256,
      }),
    );
    expect(parameterCount(large)).toBe(2_412_820_480);
    // Without gate two matrices are left, and the shape that energy is estimated from has as many linear weights.
    const mlp = { ...large, feedForward: "mlp" } as const;
    expect(parameterCount(large) - parameterCount(mlp)).toBe(30 * 2560 * 6912);
    const matrices = modelParameters(mlp).filter(({ kind }) => kind === "matrix");
    expect(shapeOf(mlp, true).linearWeights).toBe(matrices.reduce((sum, spec) => sum + parameterSize(spec), 0));
  });
});

describe("initialization", () => {
  test("normal(0, initializer_range), norms 1, the same for the same seed, different by seed and name", () => {
    const big = config({ hidden_size: 256, vocab_size: 1000 });
    const [embedding, norm, query] = modelParameters(big);
    const values = initialValues(embedding, big, 7);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(4 * (0.02 / Math.sqrt(values.length)));
    expect(Math.abs(Math.sqrt(variance) / 0.02 - 1)).toBeLessThan(0.01);
    expect(initialValues(embedding, big, 7)).toEqual(values);
    expect(initialValues(embedding, big, 8)).not.toEqual(values);
    expect(initialValues(query, big, 7).slice(0, 100)).not.toEqual(values.slice(0, 100));
    expect(initialValues(norm, big, 7)).toEqual(new Float32Array(256).fill(1));
  });
});

describe.each(testedBackends)("CausalLM on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  test("has the listed parameters, with the same initial values on every backend", () => {
    const lm = new CausalLM(config(), { seed: 5 });
    expect([...lm.parameters.keys()]).toEqual(modelParameters(config()).map((spec) => spec.name));
    for (const spec of modelParameters(config())) {
      expect(lm.parameters.get(spec.name)!.dataSync()).toEqual(initialValues(spec, config(), 5));
    }
    lm.dispose();
  });

  test("every combination of switches runs forward and backward and leaves no tensors behind", () => {
    const before = tf.memory().numTensors;
    const ids = tf.tensor2d([1, 2, 3, 4, 5, 0], [2, 3], "int32");
    const targets = tf.tensor2d([2, 3, 4, 5, -1, -100], [2, 3], "int32");
    for (const quantizers of [{}, { weight_quantizer: "none" }, { activation_quantizer: "none" }]) {
      for (const switches of [
        { hidden_act: "silu", use_sub_norms: false },
        { tie_word_embeddings: false, embedding_dtype: "q8_0", scale_dtype: "bf16" },
        { head_dim: 6, num_key_value_heads: 1, embedding_dtype: "bf16" },
        { norm_placement: "every_linear", use_hadamard: true },
        { feed_forward: "mlp" },
        { norm_placement: "every_linear", feed_forward: "mlp" },
      ] as const) {
        const lm = new CausalLM(config({ ...quantizers, ...switches }), { seed: 1 });
        const { value, grads } = tf.variableGrads(() => lm.loss(ids, targets), [...lm.parameters.values()]);
        expect(Math.abs(value.dataSync()[0] - Math.log(11))).toBeLessThan(0.2);
        for (const [name, parameter] of lm.parameters) {
          const largest = tf.tidy(() => tf.max(tf.abs(grads[parameter.name])).dataSync()[0]);
          expect(Number.isFinite(largest), name).toBe(true);
          // A norm before a quantized layer may have a gradient, a matrix always has one.
          if (parameter.rank === 2) expect(largest, name).toBeGreaterThan(0);
        }
        const { logProbs, argmax } = lm.logProbs(ids, targets);
        const expectedLoss = -logProbs.dataSync<"float32">().reduce((sum, x) => sum + x, 0) / 4;
        expect(value.dataSync()[0]).toBeCloseTo(expectedLoss, 5);
        expect(Array.from(logProbs.dataSync().slice(4))).toEqual([0, 0]);
        const logits = lm.logits(ids);
        expect(tf.tidy(() => Array.from(tf.argMax(logits, 2).dataSync()))).toEqual(Array.from(argmax.dataSync()));
        tf.dispose([value, grads, logProbs, argmax, logits]);
        lm.dispose();
      }
    }
    tf.dispose([ids, targets]);
    expect(tf.memory().numTensors).toBe(before);
  });

  test("a position sees only what is before it", () => {
    const lm = new CausalLM(config(), { seed: 2 });
    const rows = tf.tidy(() => {
      const long = lm.logits(tf.tensor2d([[1, 2, 3, 4, 5, 6]], undefined, "int32")).dataSync<"float32">();
      const short = lm.logits(tf.tensor2d([[1, 2, 3, 9]], undefined, "int32")).dataSync<"float32">();
      return [long.slice(0, 33), short.slice(0, 33), long.slice(33, 44), short.slice(33, 44)];
    });
    rows[0].forEach((value, i) => {
      expect(value).toBeCloseTo(rows[1][i], 5);
    });
    expect(rows[2]).not.toEqual(rows[3]);
    lm.dispose();
  });

  test("values of the wrong length name the parameter", () => {
    expect(() => new CausalLM(config(), { parameters: () => new Float32Array(3) })).toThrow(ParameterError);
    expect(() => new CausalLM(config(), { parameters: () => new Float32Array(3) })).toThrow(
      "model.embed_tokens.weight has 3 values, its shape is [11,32]",
    );
  });
});
