/** Dropout: its masks, its gradient, and where a model has it. */
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { modelConfigSchema, resolveModelConfig } from "../../src/config/model_config.ts";
import { CausalLM } from "../../src/model/causal_lm.ts";
import { type BackwardPass, duringBackwardPass } from "../../src/ops/backward_pass.ts";
import { dropout, dropoutMask } from "../../src/ops/dropout.ts";
import { relativeDifference } from "../support/relative_difference.ts";
import { testedBackends, useBackend } from "../support/tfjs_backends.ts";

const settings = { precision: "f32", seed: 1, step: 1, microStep: 0, dropout: 0.25 } as const;

const config = resolveModelConfig(
  modelConfigSchema.parse({
    hidden_size: 32,
    num_hidden_layers: 2,
    intermediate_size: 48,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    vocab_size: 20,
  }),
);

describe("masks", () => {
  it("drop the share that is asked for, and scale what is kept", () => {
    const mask = dropoutMask(100_000, 0.25, 7);
    const dropped = mask.filter((value) => value === 0).length;
    // Three standard deviations of a binomial distribution.
    expect(Math.abs(dropped - 25_000)).toBeLessThan(3 * Math.sqrt(100_000 * 0.25 * 0.75));
    expect(mask.every((value) => value === 0 || value === Math.fround(4 / 3))).toBe(true);
  });

  it("of two keys agree as often as independent ones do", () => {
    const [a, b] = [dropoutMask(100_000, 0.5, 7), dropoutMask(100_000, 0.5, 8)];
    const equal = (shift: number) => a.filter((value, i) => value === b[(i + shift) % b.length]).length;
    for (const shift of [0, 1, 2]) expect(Math.abs(equal(shift) - 50_000)).toBeLessThan(3.5 * Math.sqrt(25_000));
  });
});

describe.each(testedBackends)("on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  it("is the mask in both directions, another one at each place and pass, and nothing outside of a pass", () => {
    tf.tidy(() => {
      const x = tf.tensor1d([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
      const run = (place: number, changes: Partial<BackwardPass> = {}) =>
        duringBackwardPass({ ...settings, ...changes }, () => {
          const { value, grad } = tf.valueAndGrad((input) => dropout(input, place))(x);
          return { value: [...value.dataSync()], grad: [...grad.dataSync()] };
        });
      const { value, grad } = run(5);
      expect(value).toEqual(grad.map((factor, i) => Math.fround(factor * (i + 1))));
      expect(new Set(grad)).toEqual(new Set([0, Math.fround(4 / 3)]));
      expect(run(5)).toEqual({ value, grad });
      for (const changes of [{ seed: 2 }, { step: 2 }, { microStep: 1 }])
        expect(run(5, changes).grad).not.toEqual(grad);
      expect(run(6).grad).not.toEqual(grad);
      expect(duringBackwardPass({ ...settings, dropout: 0 }, () => dropout(x, 5))).toBe(x);
      expect(dropout(x, 5)).toBe(x);
    });
  });

  it("stands in the embedding and both branches of a layer; the same with recomputed layers; off in evaluation", () => {
    const model = new CausalLM(config, { seed: 3 });
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const ids = tf.tensor2d([3, 1, 4, 1, 5, 9, 2, 6], [2, 4], "int32");
      const run = (changes: Partial<BackwardPass>) =>
        duringBackwardPass({ ...settings, ...changes }, () => {
          const { value, grads } = tf.variableGrads(() => model.loss(ids, ids), [...model.parameters.values()]);
          const bits = [...model.parameters.values()].map(({ name }) => [...grads[name]!.dataSync()]);
          return { loss: value.dataSync()[0], bits };
        });
      const dropped = run({});
      expect(run({ recomputesLayers: true })).toEqual(dropped);
      expect(run({ freesGradients: true })).toEqual(dropped);
      const none = run({ dropout: 0 });
      expect(dropped.loss).not.toBe(none.loss);
      // Almost everything dropped: hidden states are zeros nearly everywhere, so that all ids are equally likely.
      expect(run({ dropout: 0.9999999 }).loss).toBeCloseTo(Math.log(20), 5);
      const evaluated = -tf.mean(model.logProbs(ids, ids).logProbs).dataSync()[0];
      expect(relativeDifference([evaluated], [none.loss])).toBeLessThan(1e-6);
    });
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });
});
