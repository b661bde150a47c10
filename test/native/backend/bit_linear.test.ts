/** BitLinear against the definitions in float64: codes and scales exactly, products and gradients closely. */
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { registerNativeBackend } from "../../../native/backend/index.ts";
import { titleUnless } from "../../support/missing.ts";
import {
  randomInteger,
  randomSource,
  randomTensor,
  relativeError,
  runKernel,
  valuesOn,
  withoutAddon,
} from "./support.ts";

const f32 = Math.fround;

/** Half to even, as the definitions ask. */
function rint(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

const clip = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);

/** Codes and the scale that makes them, from the definitions, of each `part` of the weights: a matrix or a row. */
function ternarize(weight: Float32Array, part = weight.length): { codes: number[]; scales: number[] } {
  const codes: number[] = [];
  const scales: number[] = [];
  for (let first = 0; first < weight.length; first += part) {
    const values = weight.subarray(first, first + part);
    let sum = 0;
    for (const value of values) sum += Math.abs(value);
    const scale = f32(Math.max(sum / part, 1e-5));
    const inverse = f32(1 / scale);
    scales.push(scale);
    for (const value of values) codes.push(clip(rint(f32(value * inverse)), -1, 1));
  }
  return { codes, scales };
}

/** The weights that the product effectively sees: scale * code. */
function dequantized({ codes, scales }: { codes: number[]; scales: number[] }): number[] {
  return codes.map((code, i) => code * scales[Math.floor((i * scales.length) / codes.length)]);
}

/** The activations that the product effectively sees: act_scale * code. */
function fakeQuantizedRows(x: Float32Array, cols: number): Float32Array {
  const out = new Float32Array(x.length);
  for (let row = 0; row < x.length; row += cols) {
    let largest = f32(1e-5);
    for (let i = 0; i < cols; i++) largest = Math.max(largest, Math.abs(x[row + i]));
    const inverse = f32(127 / largest);
    const scale = f32(largest / 127);
    for (let i = 0; i < cols; i++) out[row + i] = f32(clip(rint(f32(x[row + i] * inverse)), -128, 127) * scale);
  }
  return out;
}

/** The inputs for some weights: the tensors themselves, or their codes and scales. */
function operandsOf(
  source: string,
  weights: readonly tf.Tensor[],
  ternary: readonly { codes: number[]; scales: number[] }[],
): Record<string, tf.Tensor> {
  if (source !== "codes") return Object.fromEntries(weights.map((weight, i) => [`weight${i}`, weight]));
  return Object.fromEntries(
    ternary.flatMap(({ codes, scales }, i) => [
      [`codes${i}`, tf.tensor(codes, weights[i].shape, "int32")],
      [`weightScales${i}`, tf.tensor1d(scales)],
    ]),
  );
}

/** Attributes of a product without gate or norm. */
const alone = { activation: "none", epsilon: 0, hadamard: false, keep: 1 };

interface Pair {
  weights: string;
  activations: string;
  groupSize?: number;
}

const quantizers: Pair[] = [
  { weights: "absmean_tensor", activations: "absmax_int8" },
  { weights: "absmean_tensor", activations: "none" },
  { weights: "absmean_row", activations: "absmax_int8" },
  { weights: "absmean_row", activations: "none" },
  { weights: "codes", activations: "absmax_int8" },
  { weights: "codes", activations: "none" },
  { weights: "absmean_group_64", activations: "absmax_int8" },
  { weights: "absmean_group_128", activations: "none" },
  { weights: "codes", groupSize: 64, activations: "absmax_int8" },
  { weights: "values", activations: "absmax_int8" },
  { weights: "values", activations: "none" },
];

describe.skipIf(withoutAddon)(titleUnless(withoutAddon, "the native addon", "BitLinear"), () => {
  beforeAll(async () => {
    registerNativeBackend();
    await tf.setBackend("native");
  });

  it.each([1, 2, 3, 4, 5, 6])("TernaryCodes are exact, seed %i", (seed) => {
    const random = randomSource(seed);
    const rows = randomInteger(random, 1, 80);
    const anyCols = randomInteger(random, 1, 300);
    for (const [weights, cols, part] of [
      ["absmean_tensor", anyCols, undefined],
      ["absmean_row", anyCols, anyCols],
      ["absmean_group_64", 192, 64],
      ["absmean_group_256", 256, 256],
    ] as const) {
      const weight = randomTensor(random, [rows, cols], 0.05);
      const attributes = { scaleDtype: "f32", weights };
      const [codes, actual] = valuesOn("native", () => runKernel("TernaryCodes", { weight }, attributes));
      const expected = ternarize(weight.dataSync() as Float32Array, part);
      expect(Array.from(codes)).toEqual(expected.codes.map((code) => code + 0));
      expect(Array.from(actual)).toEqual(expected.scales);
    }
  });

  it("rounds only the multiplying scale to scale_dtype", () => {
    const weight = randomTensor(randomSource(3), [7, 33], 0.05);
    const run = (scaleDtype: string) =>
      valuesOn("native", () => runKernel("TernaryCodes", { weight }, { scaleDtype, weights: "absmean_tensor" }));
    const [f32Codes, f32Scale] = run("f32");
    for (const [dtype, mantissaBits] of [
      ["f16", 10],
      ["bf16", 7],
    ] as const) {
      const [codes, scale] = run(dtype);
      expect(codes).toEqual(f32Codes);
      expect(Math.abs(scale[0] / f32Scale[0] - 1)).toBeLessThanOrEqual(2 ** -(mantissaBits + 1));
      const unit = 2 ** (Math.floor(Math.log2(scale[0])) - mantissaBits);
      expect(scale[0] / unit).toBe(Math.round(scale[0] / unit));
    }
  });

  it.each<Pair>(quantizers)("weights $weights, activations $activations: values and gradients", (pair) => {
    for (const seed of [1, 2, 3]) {
      const random = randomSource(seed);
      const group = pair.groupSize ?? Number(/group_(\d+)/.exec(pair.weights)?.[1] ?? 0);
      const cols = group > 0 ? 2 * group : randomInteger(random, 1, 150);
      const tokens = randomInteger(random, 1, 150);
      const rows = [randomInteger(random, 1, 70), randomInteger(random, 1, 40), randomInteger(random, 1, 40)];
      const total = rows[0] + rows[1] + rows[2];
      const x = randomTensor(random, [1, tokens, cols]);
      const weights = rows.map((count) => randomTensor(random, [count, cols], 0.05));
      const dy = randomTensor(random, [1, tokens, total]);
      const attributes = { ...pair, scaleDtype: "f32", ...alone };
      const ternary = weights.map((weight, i) => {
        const perRow = pair.weights === "absmean_row" || (pair.weights === "codes" && i !== 1);
        return ternarize(weight.dataSync() as Float32Array, group || (perRow ? cols : undefined));
      });
      const inputs = { x, ...operandsOf(pair.weights, weights, ternary) };

      const actual = valuesOn("native", () => [
        runKernel("BitLinear", inputs, attributes)[0],
        ...runKernel("BitLinearGrad", { ...inputs, dy }, { ...attributes, precision: "f32", roundingKey: 0 }),
      ]);

      const xValues = x.dataSync() as Float32Array;
      const effectiveX = pair.activations !== "none" ? fakeQuantizedRows(xValues, cols) : xValues;
      const effectiveW = weights.flatMap((weight, i) =>
        pair.weights === "values" ? Array.from(weight.dataSync()) : dequantized(ternary[i]),
      );
      const expected = valuesOn("cpu", () => {
        const left = tf.tensor2d(effectiveX, [tokens, cols]);
        const right = tf.tensor2d(effectiveW, [total, cols]);
        const upstream = tf.reshape(dy, [tokens, total]) as tf.Tensor2D;
        const dweight = tf.matMul(upstream, left, true, false);
        return [tf.matMul(left, right, false, true), tf.matMul(upstream, right), ...tf.split(dweight, rows, 0)];
      });
      expect(actual.length).toBe(expected.length);
      for (let i = 0; i < expected.length; i++) expect(relativeError(actual[i], expected[i])).toBeLessThan(1e-5);
    }
  });

  it.each(["f32", "bf16", "int8"])("has the same gradients with the scales of the forward pass, %s", (precision) => {
    const random = randomSource(7);
    const [tokens, cols] = [67, 130];
    const x = randomTensor(random, [tokens, 2 * cols]);
    const gain = randomTensor(random, [cols]);
    const weights = [70, 33].map((count) => randomTensor(random, [count, cols], 0.05));
    const inputs = { x, gain, weight0: weights[0], weight1: weights[1] };
    const attributes = { ...quantizers[0], scaleDtype: "bf16", ...alone, activation: "relu2", epsilon: 1e-5 };
    const gradient = (scales?: tf.Tensor) =>
      valuesOn("native", () => {
        const dy = randomTensor(randomSource(8), [tokens, 103]);
        const operands = { ...inputs, dy, ...(scales ? { scales } : {}) };
        return runKernel("BitLinearGrad", operands, { ...attributes, precision, roundingKey: 5 });
      });
    const [, scales] = runKernel("BitLinear", inputs, attributes);
    expect(gradient(scales)).toEqual(gradient());
    // They are the forward pass's own: twice the activations' scale is twice the weights' gradient.
    const values = Array.from(scales.dataSync());
    const doubled = tf.tensor1d(values.map((value, i) => (i < tokens ? 2 * value : value)));
    const [, dweight] = gradient(doubled);
    const [, expected] = gradient(scales);
    const twice = expected.map((value) => 2 * value);
    if (precision === "int8") expect(relativeError(dweight, twice)).toBeLessThan(1e-6);
  });

  it("refuses scales for a product that has none", () => {
    const inputs = { x: tf.ones([3, 8]), weight0: tf.ones([4, 8]), dy: tf.ones([3, 4]), scales: tf.ones([5]) };
    const attributes = { ...quantizers[1], scaleDtype: "f32", ...alone, precision: "f32", roundingKey: 0 };
    expect(() => runKernel("BitLinearGrad", inputs, attributes)).toThrow(
      "needs ternary weights and quantized activations",
    );
  });

  it("refuses codes that are not ternary, and scales that do not fit them", () => {
    const attributes = { ...quantizers[4], scaleDtype: "f32", ...alone };
    const run = (codes: number[], scales: number[]) => () =>
      runKernel(
        "BitLinear",
        { x: tf.ones([3, 2]), codes0: tf.tensor2d(codes, [3, 2], "int32"), weightScales0: tf.tensor1d(scales) },
        attributes,
      );
    expect(run([1, 0, -1, 1, 0, 1], [1, 2, 3])).not.toThrow();
    expect(run([1, 0, 2, 1, 0, 1], [1, 2, 3])).toThrow("holds a value that is not -1, 0 or 1");
    expect(run([1, 0, 1, 1, 0, 1], [1, 2])).toThrow("has neither one scale nor one per row");
    const bare = { x: tf.ones([3, 2]), codes0: tf.zeros([3, 2], "int32") };
    expect(() => runKernel("BitLinear", bare, attributes)).toThrow("needs weightScales for each codes");
  });

  it("gives NaN, not plausible numbers, for diverged weights", () => {
    const weight = tf.tensor2d([Number.NaN, 1, 2, 3], [2, 2]);
    const [y] = valuesOn("native", () =>
      runKernel(
        "BitLinear",
        { x: tf.ones([1, 2]), weight0: weight },
        { ...quantizers[0], scaleDtype: "f32", ...alone },
      ),
    );
    expect(Array.from(y).every(Number.isNaN)).toBe(true);
  });

  it("names the shapes when weights do not fit the input", () => {
    const inputs = { x: tf.ones([3, 8]), weight0: tf.ones([4, 9]) };
    expect(() => runKernel("BitLinear", inputs, { ...quantizers[0], scaleDtype: "f32", ...alone })).toThrow(
      "BitLinear: weights must be [out, 8] for x [3,8], got [4,9]",
    );
  });
});
