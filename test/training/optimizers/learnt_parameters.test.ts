/** What quantizers learn is AdamW's in every optimizer, without decay. */
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { makeOptimizer, optimizerSchema, optimizers } from "../../../training/optimizers/registry.ts";
import { useBackend } from "../../support/tfjs_backends.ts";

beforeAll(() => useBackend("cpu"));

describe.each(optimizers.map(({ schema }) => schema.shape.type.value))("%s", (type) => {
  it("moves a step by the learning rate of AdamW's first update", () => {
    const step = tf.variable(tf.tensor1d([0.5, 2]));
    const parameters = [{ name: "q_proj.weight_step", kind: "quantizer", variable: step } as const];
    const optimizer = makeOptimizer(optimizerSchema.parse({ type }), parameters, 0);
    const gradients = new Map([["q_proj.weight_step", tf.tensor1d([3, -0.01])]]);
    optimizer.update(gradients, { step: 1, learningRate: 0.125, weightDecay: 0.5, accumulated: 1 });
    const [down, up] = step.dataSync();
    expect(down).toBeCloseTo(0.375, 5);
    expect(up).toBeCloseTo(2.125, 5);
    expect([...optimizer.state()].map(({ name }) => name)).toEqual(["m.q_proj.weight_step", "v.q_proj.weight_step"]);
    optimizer.dispose();
  });
});
