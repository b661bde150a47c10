/** What the products of a forward pass are given, as observers see it. */
import * as tf from "@tensorflow/tfjs";
import { beforeEach, describe, expect, it } from "vitest";
import { modelConfigSchema, resolveModelConfig } from "../../../src/config/model_config.ts";
import { CausalLM } from "../../../src/model/causal_lm.ts";
import { type LinearInput, observingLinears } from "../../../src/ops/linear_observer.ts";
import { makeOptimizer, optimizedParameters, optimizerSchema } from "../../../training/optimizers/registry.ts";
import { ActivationTelemetry } from "../../../training/telemetry/activation_telemetry.ts";
import { trainStep } from "../../../training/train_step.ts";
import { testedBackends, useBackend } from "../../support/tfjs_backends.ts";

const config = resolveModelConfig(
  modelConfigSchema.parse({
    hidden_size: 8,
    num_hidden_layers: 2,
    intermediate_size: 12,
    num_attention_heads: 2,
    vocab_size: 11,
    max_position_embeddings: 16,
  }),
);
const batch = { ids: Int32Array.from({ length: 12 }, (_, i) => (5 * i) % 11), sequenceLength: 6 };
const detail = { histograms: false, activationTokens: 256, outlierSigma: 1.5 };

/** Inputs of the products by name, of all rows. */
function inputs(model: CausalLM): Map<string, LinearInput> {
  const seen = new Map<string, LinearInput>();
  const observer = { maxRows: 256, wants: () => true, observe: (input: LinearInput) => seen.set(input.name, input) };
  const ids = tf.tensor2d(batch.ids, [2, 6], "int32");
  observingLinears(observer, () => model.loss(ids, ids).dispose());
  ids.dispose();
  return seen;
}

describe.each(testedBackends)("observed products on %s", (backend) => {
  beforeEach(() => useBackend(backend));

  it("are all of the model's, with what they multiply", () => {
    const model = new CausalLM(config, { seed: 1 });
    const seen = inputs(model);
    const layer = (index: number) =>
      ["self_attn.qkv", "self_attn.o", "mlp.gate_up", "mlp.down"].map((name) => `model.layers.${index}.${name}`);
    expect([...seen.keys()]).toEqual([...layer(0), ...layer(1), "lm_head"]);
    expect(Array.from(seen.values(), ({ rows, cols }) => [rows, cols])).toEqual(
      [8, 8, 8, 12, 8, 8, 8, 12, 8].map((cols) => [12, cols]),
    );
    // Gains are 1 at the start: the norm of the embedding's row of the first id, computed by hand.
    const row = (model.parameters.get("model.embed_tokens.weight")!.dataSync() as Float32Array).subarray(0, 8);
    const rms = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0) / 8 + config.rmsNormEps);
    const first = seen.get("model.layers.0.self_attn.qkv")!.values;
    for (let i = 0; i < 8; i++) expect(first[i]).toBeCloseTo(row[i] / rms, 2);
    model.dispose();
  });

  it("change no bit of a step, and are seen once though layers run twice", () => {
    const weights = [false, true].map((observed) => {
      const model = new CausalLM(config, { seed: 1 });
      const optimizer = makeOptimizer(optimizerSchema.parse({}), optimizedParameters(model), 1);
      const linears = observed ? new ActivationTelemetry(config, detail) : undefined;
      const tensors = tf.memory().numTensors;
      const batches = [{ ...batch, targets: batch.ids }];
      const values = { step: 1, learningRate: 0.01, weightDecay: 0.1, recomputesLayers: true };
      const { loss, gradNorm } = trainStep(model, optimizer, batches, values, { linears });
      expect(tf.memory().numTensors).toBe(tensors);
      if (linears) expect(linears.rows).toHaveLength(9);
      const all = Array.from(model.parameters.values(), (each) => [...(each.dataSync() as Float32Array)]);
      model.dispose();
      optimizer.dispose();
      return { loss, gradNorm, all };
    });
    expect(weights[1]).toEqual(weights[0]);
  });
});

describe("ActivationTelemetry", () => {
  const observed = (name: string, values: number[], cols: number) => {
    const telemetry = new ActivationTelemetry(config, { ...detail, histograms: true });
    telemetry.observe({ name, values: Float32Array.from(values), rows: values.length / cols, cols });
    return telemetry.rows[0];
  };

  it("measures spread, outliers and the error of int8", () => {
    const row = observed("model.layers.0.mlp.down", [0, 0, 0, 2, 0, 0, 0, -2], 4);
    expect(row).toMatchObject({ kind: "activations", rms: 1, outlier_ratio: 2, outlier_share: 0.25, kurtosis: 4 });
    expect(row.zero_fraction).toBe(0.75);
    // 127 * fround(2 / 127) is 2 but for a rounding.
    expect(row.quantization_error).toBeLessThan(1e-7);
    expect(row.activations).toMatchObject({ low: -2, high: 2 });
    expect(row.activations!.counts.reduce((sum, count) => sum + count, 0)).toBe(8);
  });

  it("says that int8 loses what is small beside the largest of its token", () => {
    // 0.003 of 1 is code 0.38 of 127: lost.
    const row = observed("model.layers.0.mlp.down", [1, 0.003, 0.003, 0.003], 4);
    expect(row.zero_fraction).toBe(0.75);
    expect(row.quantization_error).toBeCloseTo(Math.sqrt(27e-6 / (1 + 27e-6)), 7);
  });

  it("takes the head's input as it is, but for an int8 head", () => {
    expect(observed("lm_head", [1, 0.003, 0.003, 0.003], 4).quantization_error).toBeUndefined();
    const telemetry = new ActivationTelemetry({ ...config, embeddingDtype: "int8_row" }, detail);
    const values = Float32Array.from([1, 0.003, 0.003, 0.003]);
    telemetry.observe({ name: "lm_head", values, rows: 1, cols: 4 });
    expect(telemetry.rows[0].zero_fraction).toBe(0.75);
  });
});
