/** Codes and scales of the quantizers beyond BitNet's family by hand. */
import { describe, expect, test } from "vitest";
import { makeWeightQuantizer, type QuantizerDescription } from "../../src/quantizers/registry.ts";
import { integerLevels, weightValues } from "../../src/quantizers/weight_quantizer.ts";

/** Levels and scales of one row. */
function quantized(description: QuantizerDescription, weights: number[], learnt: number[][] = []) {
  const quantizer = makeWeightQuantizer(description, "f32")!;
  const shape = { rows: 1, cols: weights.length };
  const given = learnt.map((values) => Float32Array.from(values));
  const { codes, scales } = quantizer.quantize(Float32Array.from(weights), shape, given);
  const levels = Array.from(integerLevels(quantizer, codes), (level) => level + 0);
  const values = [...weightValues(quantizer, Float32Array.from(weights), shape, given)].map((value) => value + 0);
  return { levels, scales: [...scales], values };
}

describe("twn_ternary", () => {
  test("keeps what is above 0.7 of the mean, and scales by the mean of that", () => {
    // Mean 1, so the limit is 0.7.
    const { levels, scales } = quantized("twn_ternary", [2, -1, 0.5, -0.5]);
    expect(levels).toEqual([1, -1, 0, 0]);
    expect(scales).toEqual([1.5]);
    expect(quantized({ type: "twn_ternary", threshold: 0.4 }, [2, -1, 0.5, -0.5]).levels).toEqual([1, -1, 1, -1]);
  });

  test("has the smallest scale where nothing is kept, and shows a weight that is not a number", () => {
    expect(quantized("twn_ternary", [0, 0]).scales).toEqual([Math.fround(1e-5)]);
    expect(quantized("twn_ternary", [1, Number.NaN]).scales).toEqual([Number.NaN]);
  });
});

test("lsq_ternary rounds in units of its step, which is never below 1e-5", () => {
  const { levels, scales } = quantized("lsq_ternary", [0.9, -1.1, 3, 0.4], [[2]]);
  expect(levels).toEqual([0, -1, 1, 0]);
  expect(scales).toEqual([2]);
  expect(quantized("lsq_ternary", [1], [[-3]]).scales).toEqual([Math.fround(1e-5)]);
});

test("seq_ternary parts the range of its step evenly, and stores two thirds of it", () => {
  const { levels, scales } = quantized("seq_ternary", [0.9, -1.1, 9, 0], [[3]]);
  // Edges at a third of 3.
  expect(levels).toEqual([0, -1, 1, 0]);
  expect(scales).toEqual([2]);
});

test("dlt_ternary shifts its values", () => {
  expect(quantized("dlt_ternary", [1.9, -2.5, 0.5, 0], [[2], [0.25]]).values).toEqual([2.25, -1.75, 0.25, 0.25]);
});

describe("sherry_ternary", () => {
  test("has one zero in four, the last of equals, and the mean of the others", () => {
    const { levels, scales } = quantized("sherry_ternary", [3, -1, 2, -4, 0, 0, 0, 0]);
    expect(levels).toEqual([1, 0, 1, -1, 1, 1, 1, 0]);
    expect(scales).toEqual([1.5]);
  });

  test("has a scale for each group", () => {
    const weights = Array.from({ length: 128 }, (_, i) => (i < 64 ? 1 : 4));
    expect(quantized({ type: "sherry_ternary", scale_per: "group_64" }, weights).scales).toEqual([1, 4]);
  });
});

test("absmean_binary has signs around the mean, or around zero", () => {
  expect(quantized("absmean_binary", [1, 2, 3, -2])).toMatchObject({ levels: [1, 1, 1, -1], scales: [2] });
  expect(quantized("absmean_binary", [1, 2, 3, 6])).toMatchObject({ levels: [-1, -1, 1, 1], scales: [3] });
  expect(quantized({ type: "absmean_binary", centred: false }, [1, 2, 3, 6]).levels).toEqual([1, 1, 1, 1]);
});

test("integers use all levels: the largest weight of either sign is the outermost", () => {
  const weights = [3, -3, 1.1, -1.1, 0.5, 0];
  expect(quantized("int2", weights)).toMatchObject({ levels: [1, -2, 1, -1, 0, 0], scales: [2] });
  expect(quantized("int4", weights).levels).toEqual([7, -8, 3, -3, 1, 0]);
  expect(quantized("int8", weights).levels).toEqual([127, -128, 47, -47, 21, 0]);
});
