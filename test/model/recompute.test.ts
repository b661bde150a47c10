/** Recomputed layers: the same loss and gradients, bit for bit, from less memory. */
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import type { NativeBackend } from "../../native/backend/index.ts";
import { type ModelConfigJson, modelConfigSchema, resolveModelConfig } from "../../src/config/model_config.ts";
import { CausalLM } from "../../src/model/causal_lm.ts";
import { type BackwardPass, duringBackwardPass } from "../../src/ops/backward_pass.ts";
import { hasNative, testedBackends, useBackend } from "../support/tfjs_backends.ts";

const configOf = (keys: Partial<ModelConfigJson>) =>
  resolveModelConfig(
    modelConfigSchema.parse({
      hidden_size: 64,
      num_hidden_layers: 4,
      intermediate_size: 96,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      vocab_size: 50,
      ...keys,
    }),
  );
const config = configOf({});
const graph = configOf({
  num_hidden_layers: 1,
  norm_placement: "every_linear",
  feed_forward: "mlp",
  use_hadamard: true,
  activation_quantizer: "absmax_int4",
});

/** Loss and gradients of one batch. */
function gradients(model: CausalLM, pass: Partial<BackwardPass>): Record<string, Float32Array> {
  const draw = (offset: number) => Array.from({ length: 6 * 40 }, (_, i) => ((i + offset) * 37) % 50);
  return tf.tidy(() => {
    const ids = tf.tensor2d(draw(0), [6, 40], "int32");
    const targets = tf.tensor2d(draw(1), [6, 40], "int32");
    const variables = [...model.parameters.values()];
    const settings = { precision: "f32", seed: 1, step: 1, microStep: 0, ...pass } as const;
    const { value, grads } = duringBackwardPass(settings, () =>
      tf.variableGrads(() => model.loss(ids, targets), variables),
    );
    const all: Record<string, Float32Array> = { loss: value.dataSync<"float32">().slice() };
    for (const [name, variable] of model.parameters) all[name] = grads[variable.name]!.dataSync<"float32">().slice();
    return all;
  });
}

describe.skipIf(!hasNative)("memory of recomputed layers", () => {
  it("is less than half", async () => {
    await useBackend("native");
    const usage = () => (tf.backend() as NativeBackend).poolUsage();
    const model = new CausalLM(config, { seed: 1 });
    const before = usage();
    gradients(model, { recomputesLayers: true, freesGradients: true });
    const recomputed = Math.max(usage().peak - before.live, 1);
    // The peak is that of the process: this test comes first, and the larger run last.
    gradients(model, {});
    expect(usage().peak - before.live).toBeGreaterThan(2 * recomputed);
    model.dispose();
  });
});

describe.each(testedBackends)("recomputed layers on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  it.each([
    ["f32", "BitNet", config],
    ["int8", "BitNet", config],
    ["int8", "another graph", graph],
  ] as const)("backward %s of %s: the bits of the stored ones, and no tensor left behind", (precision, _, shape) => {
    const model = new CausalLM(shape, { seed: 1 });
    const stored = gradients(model, { precision });
    const tensors = tf.memory().numTensors;
    const recomputed = gradients(model, { precision, recomputesLayers: true, freesGradients: true });
    expect(tf.memory().numTensors).toBe(tensors);
    expect(recomputed).toEqual(stored);
    model.dispose();
  });
});
