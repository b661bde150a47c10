/**
 * Gradients of quantizers by finite differences. A straight-through gradient is that of a surrogate: codes are what they
 * are at the point plus the clipped weight's own movement, and the limits are passed.
 */
import { describe, expect, test } from "vitest";
import { makeWeightQuantizer, type QuantizerDescription } from "../../src/quantizers/registry.ts";
import { learntParameters } from "../../src/quantizers/weight_quantizer.ts";
import { CounterRng } from "../../src/random/counter_rng.ts";

const shape = { rows: 3, cols: 64 };
const size = shape.rows * shape.cols;
const rng = new CounterRng(5, "gradients");
const normal = (count: number, deviation: number) =>
  Float32Array.from({ length: count }, () => deviation * rng.normal());
const [latent, dy] = [normal(size, 0.05), normal(size, 1)];
// Outside of every range.
latent.set([1, -1], 5);

interface Case {
  description: QuantizerDescription;
  low: number;
  high: number;
  /** 1 / sqrt(weights * high): of the step's gradient. */
  factor: number;
}

const lsq: Case[] = ["tensor", "row", "group_64"].map((scale_per) => ({
  description: { type: "lsq_ternary", scale_per },
  low: -1,
  high: 1,
  factor: 1 / Math.sqrt(size),
}));
const others: Case[] = [
  { description: "dlt_ternary", low: -1, high: 1, factor: 1 / Math.sqrt(size) },
  { description: { type: "int4", learnt: true }, low: -8, high: 7, factor: 1 / Math.sqrt(7 * size) },
  { description: { type: "int2", learnt: true }, low: -2, high: 1, factor: 1 / Math.sqrt(size) },
];

describe.each([...lsq, ...others])("$description", ({ description, low, high, factor }) => {
  const quantizer = makeWeightQuantizer(description, "f32")!;
  const learnt = learntParameters(quantizer, shape).map((parameter) => parameter.initial(latent));
  const [steps, shifts] = learnt;
  const each = size / steps.length;
  const clip = (value: number) => Math.min(Math.max(value, low), high);
  const frozen = Float64Array.from(latent, (w, i) => {
    const clipped = clip(w / steps[Math.floor(i / each)]);
    return Math.round(clipped) - clipped;
  });

  /** sum(dy * values) of the surrogate. */
  function surrogate(w: ArrayLike<number>, a: ArrayLike<number>, shift?: ArrayLike<number>): number {
    let sum = 0;
    for (let i = 0; i < size; i++) {
      const step = a[Math.floor(i / each)];
      sum += dy[i] * ((clip(w[i] / step) + frozen[i]) * step + (shift?.[Math.floor(i / shape.cols)] ?? 0));
    }
    return sum;
  }

  function difference(values: Float32Array, at: number, loss: (moved: Float64Array) => number): number {
    const width = 1e-6;
    const [more, less] = [Float64Array.from(values), Float64Array.from(values)];
    more[at] += width;
    less[at] -= width;
    return (loss(more) - loss(less)) / (2 * width);
  }

  const gradients = quantizer.backward!(dy, latent, shape, learnt);

  test("of the latent weights: none where the clip acts", () => {
    for (let i = 0; i < size; i++) {
      const expected = difference(latent, i, (w) => surrogate(w, steps, shifts));
      expect(gradients.latent[i]).toBeCloseTo(expected, 4);
    }
    expect(gradients.latent.some((value) => value === 0)).toBe(true);
  });

  test("of the steps, scaled, and of the shifts", () => {
    for (let s = 0; s < steps.length; s++) {
      const expected = factor * difference(steps, s, (a) => surrogate(latent, a, shifts));
      expect(gradients.learnt[0][s]).toBeCloseTo(expected, 4);
    }
    for (let r = 0; r < (shifts?.length ?? 0); r++) {
      expect(gradients.learnt[1][r]).toBeCloseTo(
        difference(shifts, r, (shift) => surrogate(latent, steps, shift)),
        4,
      );
    }
  });
});

test("seq_ternary: that of LSQ inside of its range, and ParetoQ's slope of 1 outside", () => {
  const quantizer = makeWeightQuantizer("seq_ternary", "f32")!;
  const [weights, steps] = [Float32Array.of(0.2, -0.5, 0.9, -1.2, 3, 0), Float32Array.of(1)];
  const one = Float32Array.of(1, 1, 1, 1, 1, 1);
  const gradients = quantizer.backward!(one, weights, { rows: 1, cols: 6 }, [steps]);
  expect([...gradients.latent]).toEqual([1, 1, 1, 0, 0, 1]);
  // Levels 0, -2/3, 2/3; then the two outside; then 0.
  const slopes = [0 - 0.2, -2 / 3 + 0.5, 2 / 3 - 0.9, -1, 1, 0];
  expect(gradients.learnt[0][0]).toBeCloseTo(slopes.reduce((a, b) => a + b) / Math.sqrt(6), 6);
});

test("tequila_ternary: a row's bias moves with the weights whose codes are 0", () => {
  const quantizer = makeWeightQuantizer({ type: "tequila_ternary", lambda: 0.5 }, "f32")!;
  const { codes } = quantizer.quantize(latent, shape, []);
  const dbias = Float32Array.of(1, -2, 3);
  const { latent: gradient } = quantizer.rowBias!.backward(dbias, latent, shape, []);
  const bias = quantizer.rowBias!.value(latent, shape, []);
  expect([...codes].filter((code) => code === 0).length).toBeGreaterThan(size / 5);
  for (let row = 0; row < shape.rows; row++) {
    const dead = [...latent.subarray(row * shape.cols, (row + 1) * shape.cols)].map((w, i) =>
      codes[row * shape.cols + i] === 0 ? w : 0,
    );
    expect(bias[row]).toBeCloseTo(0.5 * dead.reduce((a, b) => a + b), 6);
  }
  gradient.forEach((value, i) => {
    expect(value).toBe(codes[i] === 0 ? 0.5 * dbias[Math.floor(i / shape.cols)] : 0);
  });
});
