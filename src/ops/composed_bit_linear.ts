/**
 * `BitLinear` from plain tfjs ops: the reference of its kernel, and what runs on every backend without one. Integers are
 * summed in float32, exact while 128 K < 2^24, so a quantized product has the bits of the integer kernel.
 */
import * as tf from "@tensorflow/tfjs";
import { roundToDtype } from "../quant/round_to_dtype.ts";
import { type RoundedOperand, stepSize, stochasticCode } from "../quant/stochastic_int8.ts";
import { groupSizeOf } from "../quantizers/weight_quantizer.ts";
import { type BackwardRounding, backwardRounding } from "./backward_pass.ts";
import { activationCodes } from "./fake_quantize.ts";
import type { LinearQuantization } from "./linear_quantization.ts";
import { hasOwnGradient, latentGradients, type ProductWeight, productWeight } from "./quantized_weights.ts";
import { asRows, float32Values } from "./tensor_access.ts";
import { withGradient } from "./with_gradient.ts";

/** One operand of the product, one scale per row: values = codes * scale. Null: the values are the codes. */
interface Operand {
  codes: tf.Tensor2D;
  /** [rows, 1] */
  scale: tf.Tensor2D | null;
}

/** Scales of groups of a row's neighbours, in place of those of rows. */
interface GroupedOperand extends Operand {
  /** [rows, groups] */
  groups: tf.Tensor2D;
}

function isGrouped(operand: Operand): operand is GroupedOperand {
  return "groups" in operand;
}

/** All weights stacked to [sum N, K]; a matrix's weight_scale is repeated for its rows. */
function stackedWeights(weights: ProductWeight[], groupSize: number): Operand {
  if (groupSize > 0) return groupedWeights(weights, groupSize);
  const codes = weights.map(
    (weight): tf.Tensor2D => (weight.form === "values" ? weight.values : tf.cast(weight.codes, "float32")),
  );
  const scales = weights.flatMap((weight) => (weight.form === "codes" ? [rowScales(weight)] : []));
  return { codes: tf.concat(codes, 0), scale: scales.length > 0 ? tf.concat(scales, 0) : null };
}

function groupedWeights(weights: ProductWeight[], groupSize: number): Operand {
  const given = weights.flatMap((weight) => (weight.form === "codes" ? [weight] : []));
  if (given.length === 0) return stackedWeights(weights, 0);
  const groups = given.map(({ codes, scales }): tf.Tensor2D => {
    const [rows, cols] = codes.shape;
    return tf.reshape(scales, [rows, cols / groupSize]);
  });
  const codes = given.map((weight): tf.Tensor2D => tf.cast(weight.codes, "float32"));
  return { codes: tf.concat(codes, 0), scale: null, groups: tf.concat(groups, 0) } as GroupedOperand;
}

/** [rows, groups] values for the weights [rows, K] of each group. */
function spread(values: tf.Tensor2D, { codes }: Operand): tf.Tensor2D {
  const [rows, cols] = codes.shape;
  const groups = values.shape[1];
  const spread = tf.tile(tf.reshape(values, [rows, groups, 1]), [1, 1, cols / groups]);
  return tf.reshape(spread, [rows, cols]);
}

/** [N, 1] */
function rowScales({ codes, scales }: { codes: tf.Tensor2D; scales: tf.Tensor1D }): tf.Tensor2D {
  const column: tf.Tensor2D = tf.reshape(scales, [scales.size, 1]);
  return scales.size === 1 ? tf.tile(column, [codes.shape[0], 1]) : column;
}

function activationOperand(x: tf.Tensor2D, { activations }: LinearQuantization): Operand {
  if (activations === null) return { codes: x, scale: null };
  const { codes, actScale } = activationCodes(x, activations);
  return { codes, scale: actScale };
}

function dequantized(operand: Operand): tf.Tensor2D {
  const { codes, scale } = operand;
  if (isGrouped(operand)) return tf.mul(codes, spread(operand.groups, operand));
  return scale === null ? codes : tf.mul(codes, scale);
}

/** Group by group, in order: the kernel adds with fma, which tfjs has not. [T, N] */
function groupedProduct(w: GroupedOperand, a: Operand): tf.Tensor2D {
  const groups = w.groups.shape[1];
  const xParts = tf.split(a.codes, groups, 1);
  const scales = tf.split(tf.transpose<tf.Tensor2D>(w.groups), groups, 0);
  const sums = tf.split(w.codes, groups, 1).map((codes, g) => {
    return tf.mul<tf.Tensor2D>(tf.matMul(xParts[g] as tf.Tensor2D, codes as tf.Tensor2D, false, true), scales[g]);
  });
  return tf.mul(
    sums.reduce((total, sum) => tf.add(total, sum)),
    a.scale!,
  );
}

function forward(x: tf.Tensor, w: Operand, a: Operand): tf.Tensor {
  if (isGrouped(w) && a.scale !== null) {
    return tf.reshape(groupedProduct(w, a), [...x.shape.slice(0, -1), w.codes.shape[0]]);
  }
  const y =
    w.scale !== null && a.scale !== null
      ? tf.mul(tf.matMul(a.codes, tf.transpose(w.codes)), tf.mul(a.scale, tf.transpose(w.scale)))
      : tf.matMul(dequantized(a), tf.transpose(dequantized(w)));
  return tf.reshape(y, [...x.shape.slice(0, -1), w.codes.shape[0]]);
}

/** dX and the stacked dW of dY rows [T, N]. */
interface Products {
  dx: tf.Tensor2D;
  dw: tf.Tensor2D;
}

/** Products in float32, of dY rounded to bfloat16 (and float operands with it) if asked for. */
function floatProducts(dy: tf.Tensor2D, w: Operand, a: Operand, isBf16: boolean): Products {
  if (!isBf16) return { dx: tf.matMul(dy, dequantized(w)), dw: tf.matMul(tf.transpose(dy), dequantized(a)) };
  const rounded = ({ codes, scale }: Operand) => (scale === null ? roundToBf16(codes) : codes);
  const left = (scale: tf.Tensor2D | null) => roundToBf16(scale === null ? dy : tf.mul(dy, scale));
  return {
    dx: tf.matMul(left(w.scale && tf.transpose(w.scale)), rounded(w)),
    dw: tf.matMul(tf.transpose(left(a.scale)), rounded(a)),
  };
}

function roundToBf16(x: tf.Tensor2D): tf.Tensor2D {
  return tf.tensor2d(roundToDtype(float32Values(x), "bf16"), x.shape);
}

/** Products of dY rounded stochastically to int8: per token for dX, per out feature for dW. */
function integerProducts(dy: tf.Tensor2D, w: Operand, a: Operand, roundingKey: number): Products {
  const byToken = tf.mul<tf.Tensor2D>(dy, tf.transpose(w.scale!));
  const rows = stochasticCodes(byToken, "token", (step) => tf.mul(byToken, step), roundingKey);
  const byFeature = tf.mul<tf.Tensor2D>(dy, a.scale!);
  const scaled = (step: tf.Tensor) => tf.mul(tf.mul(dy, step), a.scale!);
  const columns = stochasticCodes(byFeature, "feature", scaled, roundingKey);
  return {
    dx: tf.mul(tf.matMul(rows.codes, w.codes), rows.scale),
    dw: tf.mul(tf.matMul(tf.transpose(columns.codes), a.codes), tf.transpose(columns.scale)),
  };
}

/** Codes of `scaled(127 / largest)` and their scale, for the largest magnitudes of x in each token or feature. */
function stochasticCodes(
  x: tf.Tensor2D,
  operand: RoundedOperand,
  scaled: (inverse: tf.Tensor) => tf.Tensor,
  key: number,
): { codes: tf.Tensor2D; scale: tf.Tensor2D } {
  const largest = tf.max<tf.Tensor2D>(tf.abs(x), operand === "token" ? 1 : 0, true);
  const steps = Array.from(float32Values(largest), stepSize);
  const column = (values: number[]) => tf.tensor2d(values, largest.shape);
  const values = float32Values(scaled(column(steps.map((step) => step.inverse))));
  const codes = Float32Array.from(values, (value, i) => stochasticCode(value, operand, key, i));
  return { codes: tf.tensor2d(codes, x.shape), scale: column(steps.map((step) => step.scale)) };
}

/** Steps of a group's scale for the largest one of its row. */
const scaleSteps = 127;

/** Integer codes with one scale per row that stand for weights with scales of groups, nearly. */
function foldedGroups(w: GroupedOperand): Operand {
  const largest = tf.max<tf.Tensor2D>(w.groups, 1, true);
  const steps = tf.round(tf.mul<tf.Tensor2D>(tf.div(w.groups, largest), scaleSteps));
  return { codes: tf.mul(w.codes, spread(steps, w)), scale: tf.div(largest, scaleSteps) };
}

function backward(dy: tf.Tensor, weights: Operand, a: Operand, rounding: BackwardRounding): Products {
  const { precision, roundingKey } = rounding;
  const isInt8 = precision === "int8";
  const floats = (operand: Operand): Operand =>
    isGrouped(operand) ? { codes: dequantized(operand), scale: null } : operand;
  const w = isInt8 && isGrouped(weights) ? foldedGroups(weights) : floats(weights);
  if (isInt8 && (w.scale === null || a.scale === null)) {
    throw new Error("int8 backward needs ternary weights and quantized activations");
  }
  const rows = asRows(dy);
  return isInt8 ? integerProducts(rows, w, a, roundingKey) : floatProducts(rows, w, a, precision === "bf16");
}

/** y = x . W^T for each weight, outputs concatenated; differentiable in x, the weights and what is learnt for them. */
export function composedBitLinear(
  input: tf.Tensor,
  weights: tf.Tensor2D[],
  quantization: LinearQuantization,
  place: number,
): tf.Tensor {
  const quantizer = quantization.weights;
  const groupSize = groupSizeOf(quantizer);
  const learnt = weights.map((_, i) => quantization.learnt?.[i] ?? []);
  return withGradient(
    [input, ...weights, ...learnt.flat()],
    (save) => {
      const products = weights.map((weight, i) => productWeight(weight, quantizer, learnt[i]));
      const tensors = products.flatMap((each) => (each.form === "values" ? [each.values] : [each.codes, each.scales]));
      // Latent weights are read again by a gradient of the quantizer's own.
      save([input, ...tensors, ...(hasOwnGradient(quantizer) ? [...weights, ...learnt.flat()] : [])]);
      return forward(input, stackedWeights(products, groupSize), activationOperand(asRows(input), quantization));
    },
    (dy, [x, ...saved]) => {
      const products = weights.map((): ProductWeight => {
        if (quantizer === null || quantizer.product === "values") {
          return { form: "values", values: saved.shift() as tf.Tensor2D };
        }
        const [codes, scales] = saved.splice(0, 2);
        return { form: "codes", codes: codes as tf.Tensor2D, scales: scales as tf.Tensor1D };
      });
      const latent = saved.splice(0, weights.length) as tf.Tensor2D[];
      const a = activationOperand(asRows(x), quantization);
      const { dx, dw } = backward(dy, stackedWeights(products, groupSize), a, backwardRounding(place));
      const outputs = weights.map((weight) => weight.shape[0]);
      const gradients = tf.split(dw, outputs, 0).map((each, i) => {
        const values = saved.length > 0 ? saved.splice(0, learnt[i].length) : learnt[i];
        return latentGradients(each as tf.Tensor2D, latent[i], quantizer, values);
      });
      return [
        tf.reshape(dx, x.shape),
        ...gradients.map((each) => each.latent),
        ...gradients.flatMap((each) => each.learnt),
      ];
    },
  );
}
