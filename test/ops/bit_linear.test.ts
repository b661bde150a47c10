/** BitLinear on every backend: the forward bit for bit from the reference's codes, the backward by its definition. */
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import type { BackwardPrecision } from "../../src/config/backward_precision.ts";
import { backwardRounding, duringBackwardPass } from "../../src/ops/backward_pass.ts";
import { bitLinear } from "../../src/ops/bit_linear.ts";
import { gatedActivation } from "../../src/ops/gated_activation.ts";
import type { LinearQuantization } from "../../src/ops/linear_quantization.ts";
import { rmsNorm } from "../../src/ops/rms_norm.ts";
import { roundScale } from "../../src/quant/round_to_dtype.ts";
import { type RoundedOperand, stepSize, stochasticCode } from "../../src/quant/stochastic_int8.ts";
import { absmaxInt8 } from "../../src/quantizers/absmax_int8.ts";
import { makeActivationQuantizer, makeWeightQuantizer } from "../../src/quantizers/registry.ts";
import { dequantize, type WeightQuantizer } from "../../src/quantizers/weight_quantizer.ts";
import { CounterRng } from "../../src/random/counter_rng.ts";
import { relativeDifference } from "../support/relative_difference.ts";
import { testedBackends, useBackend } from "../support/tfjs_backends.ts";

const tokens = 6;
const cols = 70;
const outputs = [24, 8, 17];
const total = 49;
/** Of the product in its model. */
const place = 77;

function normal(count: number, stream: string): Float32Array {
  const rng = new CounterRng(4, stream);
  return Float32Array.from({ length: count }, () => rng.normal());
}

const x = normal(tokens * cols, "x");
// One row at another scale, one of zeros: act_scale is per row.
x.subarray(cols, 2 * cols).forEach((value, i, row) => {
  row[i] = 1000 * value;
});
x.fill(0, 2 * cols, 3 * cols);
const weights = outputs.map((rows, i) => normal(rows * cols, `w${i}`));
const dy = normal(tokens * total, "dy");

const quantizer = (name: string) => makeWeightQuantizer(name, "f16")!;
const fused = { weights: quantizer("absmean_ternary"), activations: makeActivationQuantizer("absmax_int8") };
/** Integer products: codes of the kernel with a scale per matrix or per row, and codes that are given. */
const integerProducts = ["absmean_ternary", "absmean_ternary_row", "absmedian_ternary"].map(quantizer);

/** No quantizer of the list: five levels, and a scale per row. */
const halves: WeightQuantizer = {
  name: "halves",
  levels: [-1, -0.5, 0, 0.5, 1],
  scales: { per: "row" },
  scaleDtype: "f32",
  product: "values",
  fused: null,
  quantize: (latent, { rows }) => ({
    codes: Int8Array.from(latent, (value) => Math.max(-2, Math.min(2, Math.floor(2 * value)))),
    scales: Float32Array.from({ length: rows }, (_, row) => 1 + row / 8),
  }),
};

const activation = absmaxInt8(x, tokens, cols);

/** y, dx, dw0 .. dw2 by the definition, products in float64. */
function definition(quantization: LinearQuantization) {
  const usedX = Array.from(x, (value, i) =>
    quantization.activations === null ? value : activation.codes[i] * activation.actScales[Math.floor(i / cols)],
  );
  const usedW = weights.flatMap((weight, w) => {
    const shape = { rows: outputs[w], cols };
    const quantizer = quantization.weights;
    return Array.from(quantizer ? dequantize(quantizer, quantizer.quantize(weight, shape, []), shape) : weight);
  });
  const y = new Float64Array(tokens * total);
  const dx = new Float64Array(tokens * cols);
  const dw = new Float64Array(total * cols);
  for (let t = 0; t < tokens; t++) {
    for (let n = 0; n < total; n++) {
      for (let k = 0; k < cols; k++) {
        y[t * total + n] += usedX[t * cols + k] * usedW[n * cols + k];
        dx[t * cols + k] += dy[t * total + n] * usedW[n * cols + k];
        dw[n * cols + k] += dy[t * total + n] * usedX[t * cols + k];
      }
    }
  }
  return { y, dx, dw };
}

/** The quantized forward in the order of the law: float(acc) * (act_scale * weight_scale), each in float32. */
function exactForward(quantizer: WeightQuantizer): Float32Array {
  const { codes, scales } = ternaryRows(quantizer);
  const y = new Float32Array(tokens * total);
  for (let t = 0; t < tokens; t++) {
    for (let n = 0; n < total; n++) {
      let sum = 0;
      for (let k = 0; k < cols; k++) sum += activation.codes[t * cols + k] * codes[n * cols + k];
      y[t * total + n] = sum * Math.fround(activation.actScales[t] * scales[n]);
    }
  }
  return y;
}

function run(quantization: LinearQuantization) {
  return tf.tidy(() => {
    const inputs = [
      tf.tensor3d(x, [2, tokens / 2, cols]),
      ...weights.map((weight, i) => tf.tensor2d(weight, [outputs[i], cols])),
    ];
    const op = (...args: tf.Tensor[]) => bitLinear(args[0], args.slice(1) as tf.Tensor2D[], quantization, {}, place);
    const upstream = tf.tensor3d(dy, [2, tokens / 2, total]);
    const y = op(...inputs);
    expect(y.shape).toEqual([2, tokens / 2, total]);
    const [dx, ...dw] = tf.grads((...args) => tf.sum(tf.mul(op(...args), upstream)))(inputs);
    return {
      y: y.dataSync<"float32">().slice(),
      dx: dx.dataSync<"float32">().slice(),
      dw: dw.flatMap((grad) => Array.from(grad.dataSync<"float32">())),
    };
  });
}

/** dx and dw of dY rounded to bfloat16, scales folded in before, products in float64. */
function bf16Backward(quantizer: WeightQuantizer) {
  const { codes, scales } = ternaryRows(quantizer);
  const round = (value: number) => roundScale(Math.fround(value), "bf16");
  return products(
    (t, n) => round(dy[t * total + n] * scales[n]),
    (t, n) => round(dy[t * total + n] * activation.actScales[t]),
    codes,
  );
}

/** dx and dw of dY rounded stochastically, by the reference of the codes. */
function int8Backward(quantizer: WeightQuantizer, roundingKey: number) {
  const { codes, scales } = ternaryRows(quantizer);
  const f32 = Math.fround;
  const largest = (values: number[]) => Math.max(...values.map(Math.abs));
  const range = (count: number) => Array.from({ length: count }, (_, i) => i);
  const rowStep = range(tokens).map((t) =>
    stepSize(largest(range(total).map((n) => f32(dy[t * total + n] * scales[n])))),
  );
  const columnStep = range(total).map((n) =>
    stepSize(largest(range(tokens).map((t) => f32(dy[t * total + n] * activation.actScales[t])))),
  );
  const code = (value: number, operand: RoundedOperand, index: number) =>
    stochasticCode(value, operand, roundingKey, index);
  return products(
    (t, n) => {
      const value = f32(f32(dy[t * total + n] * scales[n]) * rowStep[t].inverse);
      return code(value, "token", t * total + n) * rowStep[t].scale;
    },
    (t, n) => {
      const value = f32(f32(dy[t * total + n] * columnStep[n].inverse) * activation.actScales[t]);
      return code(value, "feature", t * total + n) * columnStep[n].scale;
    },
    codes,
  );
}

/** Ternary codes [total, cols] and the weight scale of each row. */
function ternaryRows(quantizer: WeightQuantizer) {
  const matrices = weights.map((weight, w) => quantizer.quantize(weight, { rows: outputs[w], cols }, []));
  return {
    codes: matrices.flatMap(({ codes }) => Array.from(codes)),
    scales: matrices.flatMap(({ scales }, w) =>
      Array.from({ length: outputs[w] }, (_, row) => scales[scales.length === 1 ? 0 : row]),
    ),
  };
}

/** dx from `byToken` and dw from `byFeature`, both (token, out feature) -> rounded dY with the other scale folded in. */
function products(
  byToken: (t: number, n: number) => number,
  byFeature: (t: number, n: number) => number,
  codes: readonly number[],
) {
  const dx = new Float64Array(tokens * cols);
  const dw = new Float64Array(total * cols);
  for (let t = 0; t < tokens; t++) {
    for (let n = 0; n < total; n++) {
      for (let k = 0; k < cols; k++) {
        dx[t * cols + k] += byToken(t, n) * codes[n * cols + k];
        dw[n * cols + k] += byFeature(t, n) * activation.codes[t * cols + k];
      }
    }
  }
  return { dx, dw };
}

describe.each(testedBackends)("bitLinear on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  test.each(integerProducts)("the forward of $name has the bits of the definition", (weights) => {
    const ours = run({ ...fused, weights }).y;
    expect(Array.from(ours, (value) => value + 0)).toEqual(Array.from(exactForward(weights), (value) => value + 0));
  });

  test.each([
    ["ternary, int8", fused],
    ["ternary, float activations", { ...fused, activations: null }],
    ["float weights, int8", { ...fused, weights: null }],
    ["float", { weights: null, activations: null }],
    ["a scale per row, int8", { ...fused, weights: quantizer("absmean_ternary_row") }],
    ["a scale per row, float activations", { weights: quantizer("absmean_ternary_row"), activations: null }],
    ["given codes, int8", { ...fused, weights: quantizer("absmedian_ternary") }],
    ["given codes, float activations", { weights: quantizer("absmedian_ternary"), activations: null }],
    ["values of a quantizer", { ...fused, weights: halves }],
    ["bf16 scale", { ...fused, weights: makeWeightQuantizer("absmean_ternary", "bf16") }],
  ] as [string, LinearQuantization][])("%s: forward and straight-through backward", (_, quantization) => {
    const ours = run(quantization);
    const theirs = definition(quantization);
    expect(relativeDifference(ours.y, theirs.y)).toBeLessThan(1e-6);
    expect(relativeDifference(ours.dx, theirs.dx)).toBeLessThan(1e-6);
    expect(relativeDifference(ours.dw, theirs.dw)).toBeLessThan(1e-6);
  });

  test.each(["values", "ternary_tensor"] as const)("a quantizer's own gradient reaches the weights: %s", (product) => {
    const clipped: WeightQuantizer = {
      ...quantizer("absmedian_ternary"),
      product,
      backward: (dy, latent) => ({
        latent: dy.map((value, i) => (Math.abs(latent[i]) <= 1 ? value : 0)),
        learnt: [],
      }),
    };
    const straight = run({ ...fused, weights: { ...clipped, backward: undefined } }).dw;
    const latent = weights.flatMap((weight) => Array.from(weight));
    expect(run({ ...fused, weights: clipped }).dw).toEqual(
      straight.map((value, i) => (Math.abs(latent[i]) <= 1 ? value : 0)),
    );
  });

  test("takes three weights and refuses a fourth", () => {
    const four = Array.from({ length: 4 }, () => tf.ones([2, 3]) as tf.Tensor2D);
    expect(() => bitLinear(tf.ones([1, 3]), four, fused)).toThrow(/at most three weights.*got 4/);
  });

  test("gate, norm and residual around the product are those of the single ops", () => {
    const [outputs, width] = [9, cols / 2];
    const inputs = [
      tf.tensor2d(x, [tokens, cols]),
      tf.tensor2d(normal(outputs * width, "w"), [outputs, width]),
      tf.tensor1d(normal(width, "gain")),
      tf.tensor2d(normal(tokens * outputs, "residual"), [tokens, outputs]),
    ];
    const upstream = tf.tensor2d(normal(tokens * outputs, "upstream"), [tokens, outputs]);
    const together = (x: tf.Tensor, w: tf.Tensor, gain: tf.Tensor, residual: tf.Tensor) => {
      const norm = { gain: gain as tf.Tensor1D, epsilon: 1e-5 };
      return bitLinear(x, [w as tf.Tensor2D], fused, { activation: "silu", norm, residual });
    };
    const apart = (x: tf.Tensor, w: tf.Tensor, gain: tf.Tensor, residual: tf.Tensor) => {
      const normed = rmsNorm(gatedActivation(x, "silu"), gain as tf.Tensor1D, 1e-5);
      return tf.add(residual, bitLinear(normed, [w as tf.Tensor2D], fused));
    };
    const [a, b] = [together, apart].map((op) => {
      const y = (...args: tf.Tensor[]) => op(...(args as Parameters<typeof op>));
      const loss = (...args: tf.Tensor[]) => tf.sum(tf.mul(y(...args), upstream)) as tf.Scalar;
      return { y: y(...inputs).dataSync<"float32">(), gradients: tf.grads(loss)(inputs) };
    });
    expect(a.y).toEqual(b.y);
    a.gradients.forEach((gradient, i) => {
      const expected = b.gradients[i];
      expect(gradient.shape).toEqual(expected.shape);
      expect(relativeDifference(gradient.dataSync<"float32">(), expected.dataSync<"float32">())).toBeLessThan(1e-6);
    });
  });

  describe("backward precision", () => {
    const pass = { seed: 5, step: 3, microStep: 0 };
    const runIn = (precision: BackwardPrecision, step = pass.step, quantization: LinearQuantization = fused) =>
      duringBackwardPass({ ...pass, step, precision }, () => run(quantization));

    test.each(integerProducts)("bf16 rounds dY only: $name", (weights) => {
      const ours = runIn("bf16", pass.step, { ...fused, weights });
      const theirs = bf16Backward(weights);
      expect(relativeDifference(ours.dx, theirs.dx)).toBeLessThan(1e-6);
      expect(relativeDifference(ours.dw, theirs.dw)).toBeLessThan(1e-6);
      expect(relativeDifference(ours.dx, definition({ ...fused, weights }).dx)).toBeGreaterThan(1e-5);
    });

    test.each(integerProducts)("int8 draws the codes of the reference: $name", (weights) => {
      const { roundingKey } = duringBackwardPass({ ...pass, precision: "int8" }, () => backwardRounding(place));
      const theirs = int8Backward(weights, roundingKey);
      const ours = runIn("int8", pass.step, { ...fused, weights });
      expect(relativeDifference(ours.dx, theirs.dx)).toBeLessThan(1e-6);
      expect(relativeDifference(ours.dw, theirs.dw)).toBeLessThan(1e-6);
      expect(relativeDifference(ours.dx, definition({ ...fused, weights }).dx)).toBeGreaterThan(1e-4);
    });

    test("int8 has the mean of the exact gradient", () => {
      const draws = 64;
      const mean = { dx: new Float64Array(tokens * cols), dw: new Float64Array(total * cols) };
      for (let step = 0; step < draws; step++) {
        const { dx, dw } = runIn("int8", step);
        dx.forEach((value, i) => {
          mean.dx[i] += value / draws;
        });
        dw.forEach((value, i) => {
          mean.dw[i] += value / draws;
        });
      }
      const exact = definition(fused);
      const once = runIn("int8");
      // The error of a mean of 64 draws is an eighth of that of one; a bias would stay.
      expect(relativeDifference(mean.dx, exact.dx)).toBeLessThan(relativeDifference(once.dx, exact.dx) / 3);
      expect(relativeDifference(mean.dw, exact.dw)).toBeLessThan(relativeDifference(once.dw, exact.dw) / 3);
    });

    test("frees the gradients of variables early, with the same values", () => {
      const variable = tf.variable(tf.tensor2d(weights[0], [outputs[0], cols]));
      const chain = () => {
        const input = tf.tensor2d(x, [tokens, cols]);
        const once = bitLinear(input, [variable], fused, { norm: { gain: tf.ones([cols]), epsilon: 1e-5 } });
        return tf.sum(gatedActivation(once, "relu2")) as tf.Scalar;
      };
      const gradient = (freesGradients: boolean) =>
        tf.tidy(() =>
          duringBackwardPass({ ...pass, precision: "f32", freesGradients }, () =>
            tf.variableGrads(chain, [variable]).grads[variable.name]!.dataSync<"float32">().slice(),
          ),
        );
      expect(gradient(true)).toEqual(gradient(false));
      variable.dispose();
    });

    test("int8 needs both quantizers", () => {
      const float = { ...fused, activations: null };
      expect(() => runIn("int8", 1, float)).toThrow(/int8.*needs ternary weights/);
    });
  });
});
