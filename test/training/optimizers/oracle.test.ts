/** Three updates of every optimizer against PyTorch (experiments/oracles/optimizer_vectors.py), on every backend. */
import { readFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ParameterKind } from "../../../src/model/parameters.ts";
import type { OptimizedParameter } from "../../../training/optimizers/optimizer.ts";
import { makeOptimizer, optimizerSchema, optimizers } from "../../../training/optimizers/registry.ts";
import { relativeDifference } from "../../support/relative_difference.ts";
import { testedBackends, useBackend } from "../../support/tfjs_backends.ts";

type Values = Record<string, number[]>;

interface Vectors {
  parameters: { name: string; kind: ParameterKind; shape: number[] }[];
  start: Values;
  gradients: Values[];
  rates: number[];
  weight_decay: number;
  max_norm: number;
  runs: { type: string; options: object; steps: { norm: number; parameters: Values }[]; state: Values }[];
}

const file = path.resolve(import.meta.dirname, "../../golden/optimizers/vectors.json");
const vectors: Vectors = JSON.parse(readFileSync(file, "utf8"));
const tolerance = 2e-6;

it("every optimizer has vectors", () => {
  const types = optimizers.map(({ schema }) => schema.shape.type.value);
  expect(new Set(vectors.runs.map(({ type }) => type))).toEqual(new Set(types));
});

describe.each(testedBackends)("on %s", (backend) => {
  beforeEach(() => useBackend(backend));
  afterEach(() => tf.disposeVariables());

  it.each(vectors.runs)("$type $options has PyTorch's weights and state", ({ type, options, steps, state }) => {
    const parameters: OptimizedParameter[] = vectors.parameters.map(({ name, kind, shape }) => {
      return { name, kind, variable: tf.variable(tf.tensor(vectors.start[name], shape)) };
    });
    const optimizer = makeOptimizer(optimizerSchema.parse({ type, ...options }), parameters, vectors.max_norm);
    const tensors = tf.memory().numTensors;
    for (const [i, wanted] of steps.entries()) {
      const gradients = vectors.parameters.map(({ name, shape }) => {
        return [name, tf.tensor(vectors.gradients[i][name], shape)] as const;
      });
      const norm = optimizer.update(new Map(gradients), {
        step: i + 1,
        learningRate: vectors.rates[i],
        weightDecay: vectors.weight_decay,
        accumulated: 1,
      });
      for (const [, gradient] of gradients) gradient.dispose();
      expect(Math.abs(norm / wanted.norm - 1)).toBeLessThan(tolerance);
      for (const { name, variable } of parameters) {
        expect(relativeDifference(variable.dataSync(), wanted.parameters[name]), name).toBeLessThan(tolerance);
      }
    }
    expect(tf.memory().numTensors).toBe(tensors);
    const got = Array.from(optimizer.state(), ({ name, tensor }) => [name, tensor.dataSync()] as const);
    expect(got.map(([name]) => name).sort()).toEqual(Object.keys(state).sort());
    for (const [name, values] of got) expect(relativeDifference(values, state[name]), name).toBeLessThan(tolerance);
    optimizer.dispose();
  });

  it.each(vectors.runs)("$type: gradients summed over batches are averaged", ({ type, options }) => {
    const make = () =>
      vectors.parameters.map(({ name, kind, shape }) => {
        return { name, kind, variable: tf.variable(tf.tensor(vectors.start[name], shape)) };
      });
    const update = (factor: number) => {
      const parameters = make();
      const optimizer = makeOptimizer(optimizerSchema.parse({ type, ...options }), parameters, vectors.max_norm);
      const gradients = vectors.parameters.map(({ name, shape }) => {
        return [name, tf.mul(tf.tensor(vectors.gradients[0][name], shape), factor)] as const;
      });
      const values = { step: 1, learningRate: 0.01, weightDecay: 0.1, accumulated: factor };
      const norm = optimizer.update(new Map(gradients), values);
      return [norm, ...parameters.flatMap(({ variable }) => [...variable.dataSync()])];
    };
    // A power of two: the products are exact, so the bits are equal.
    expect(update(4)).toEqual(update(1));
  });
});
