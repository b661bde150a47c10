/** The distance of a model from its float twin, against scipy's entropy(p, q) and itself. */
import * as tf from "@tensorflow/tfjs";
import { expect, test } from "vitest";
import { resolveModelConfig } from "../../../src/config/model_config.ts";
import { CausalLM } from "../../../src/model/causal_lm.ts";
import { armConfig, readBase } from "../../../training/sweep/base_recipe.ts";
import { rowDistance, twinDistance } from "../../../training/sweep/float_twin.ts";
import { hasNative, useBackend } from "../../support/tfjs_backends.ts";

const row = (...values: number[]) => Float32Array.from(values);

/** The arms of a seed begin with the same weights: the twin differs in how they are used. */
function pairOf(seed: number): { ternary: CausalLM; float: CausalLM } {
  const base = readBase("tiny.yaml", []);
  const make = (assignments: { key: string; value: unknown }[]) => {
    const { model, training } = armConfig(base, { name: "arm", assignments }, seed);
    return new CausalLM(resolveModelConfig({ ...model, vocab_size: 20 }), { seed: training.seed });
  };
  const none = ["weight_quantizer", "activation_quantizer"].map((key) => ({ key: `model.${key}`, value: "none" }));
  return { ternary: make([]), float: make(none) };
}

test("a seed gives all arms of a shape the same initial weights", async () => {
  await useBackend(hasNative ? "native" : "cpu");
  const [{ ternary, float }, other] = [pairOf(1), pairOf(2)];
  for (const [name, values] of ternary.parameters) {
    const [own, twin, others] = [values, float.parameters.get(name), other.ternary.parameters.get(name)].map((each) =>
      Array.from(each!.dataSync()),
    );
    expect(own, name).toEqual(twin);
    if (!name.includes("norm")) expect(own, name).not.toEqual(others);
  }
});

test("over batches: the mean of the tokens that count, whatever is held at a time", async () => {
  await useBackend(hasNative ? "native" : "cpu");
  const { ternary, float } = pairOf(1);
  const ids = Int32Array.from({ length: 6 * 8 }, (_, i) => (i * 7) % 20);
  const targets = ids.map((id, i) => (i % 8 === 7 ? -1 : id));
  const batch = { ids, targets, sequenceLength: 8 };
  const distance = await twinDistance(ternary, float, [batch]);
  const wanted = tf.tidy(() => {
    const rows = tf.tensor2d(ids, [6, 8], "int32");
    const [p, q] = [float, ternary].map((model) => tf.logSoftmax(tf.reshape(model.logits(rows), [48, 20])));
    const each = tf.sum(tf.mul(tf.exp(p), tf.sub(p, q)), 1).dataSync();
    return Array.from(each).filter((_, i) => targets[i] >= 0);
  });
  expect(distance.tokens).toBe(42);
  expect(distance.kl).toBeGreaterThan(1e-4);
  expect(distance.kl).toBeCloseTo(wanted.reduce((sum, kl) => sum + kl, 0) / 42, 5);
  expect(await twinDistance(ternary, float, [batch], 1)).toEqual(distance);
  expect(await twinDistance(float, float, [batch])).toEqual({ kl: 0, top1Agreement: 1, tokens: 42 });
});

test("KL over the whole vocabulary, at small and large logits", () => {
  const near = rowDistance(row(1, 2, -3, 0.5), row(0, 2.5, 1, -1));
  expect(near).toEqual({ kl: expect.closeTo(0.4305644598645246, 7), agree: true });
  const far = rowDistance(row(80, -80, 3), row(-10, 0, 5));
  expect(far).toEqual({ kl: expect.closeTo(15.006715652344035, 7), agree: false });
  expect(rowDistance(row(1, 2, 3), row(11, 12, 13)).kl).toBe(0);
});
