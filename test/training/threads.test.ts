/** Training gives the same bits on any number of threads, in every backward precision. */
import { describe, expect, it } from "vitest";
import { loadAddon } from "../../native/addon.ts";
import { backwardPrecisions } from "../../src/config/backward_precision.ts";
import { modelConfigSchema, resolveModelConfig } from "../../src/config/model_config.ts";
import { CausalLM } from "../../src/model/causal_lm.ts";
import { CounterRng } from "../../src/random/counter_rng.ts";
import { makeOptimizer, optimizedParameters, optimizerSchema } from "../../training/optimizers/registry.ts";
import { trainStep } from "../../training/train_step.ts";
import { titleUnless } from "../support/missing.ts";
import { hasNative, useBackend } from "../support/tfjs_backends.ts";

const config = resolveModelConfig(
  modelConfigSchema.parse({
    hidden_size: 96,
    num_hidden_layers: 2,
    intermediate_size: 160,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    vocab_size: 70,
  }),
);
const [rows, length, steps] = [7, 45, 50];

/** Losses of 50 steps, each on tokens of its own. */
function losses(precision: (typeof backwardPrecisions)[number]): number[] {
  const model = new CausalLM(config, { seed: 2 });
  const optimizer = makeOptimizer(optimizerSchema.parse({ type: "adamw" }), optimizedParameters(model), 1);
  const rng = new CounterRng(3, "tokens");
  const draw = () => Int32Array.from({ length: rows * length }, () => rng.integer(70));
  const result = Array.from({ length: steps }, (_, i) => {
    const batch = { ids: draw(), targets: draw(), sequenceLength: length };
    const values = { step: i + 1, learningRate: 2e-3, weightDecay: 0.1, precision };
    return trainStep(model, optimizer, [batch], values).loss;
  });
  model.dispose();
  optimizer.dispose();
  return result;
}

describe.skipIf(!hasNative)(titleUnless(!hasNative, "the addon", "50 steps on 1, 2 and 3 threads"), () => {
  it.each(backwardPrecisions)("backward %s", async (precision) => {
    await useBackend("native");
    const [one, two, three] = [1, 2, 3].map((threads) => {
      loadAddon().setThreads(threads);
      return losses(precision);
    });
    expect(one.every(Number.isFinite)).toBe(true);
    expect(two).toEqual(one);
    expect(three).toEqual(one);
  });
});
