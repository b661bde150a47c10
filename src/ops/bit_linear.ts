/**
 * Op `BitLinear`: the linear layer of BitNet b1.58, for up to three weights that share their input (q, k, v or gate,
 * up): x is quantized once and the outputs are concatenated on the last axis.
 *
 *     acc = sum_k x_int8[k] * w_ternary[k]                exact integers
 *     y   = float(acc) * (act_scale * weight_scale)       float32, this order
 *
 *     straight-through backward:   dX = dY . (weight_scale * w_ternary)      dW = dY^T . (act_scale * x_int8)
 *
 * How dY is rounded for the two products is the setting of `backward_pass.ts`.
 *
 * With a quantizer `none` its operand is used as it is, and the product is a float one on dequantized values. The
 * composed form sums integers in float32, exact while 128 K < 2^24, so it has the bits of the integer kernel.
 */
import * as tf from "@tensorflow/tfjs";
import type { ActivationQuantizerName, WeightQuantizerName } from "../config/model_config.ts";
import type { ScaleDtype } from "../quant/dtypes.ts";
import { roundToDtype } from "../quant/round_to_dtype.ts";
import { type RoundedOperand, stepSize, stochasticCode } from "../quant/stochastic_int8.ts";
import { type BackwardRounding, nextBackwardRounding } from "./backward_pass.ts";
import { absmaxInt8Codes } from "./fake_quantize.ts";
import { fusedKernel } from "./fused_kernel.ts";
import { type LinearSurroundings, surroundedBy } from "./linear_surroundings.ts";
import { asRows, float32Values } from "./tensor_access.ts";
import { ternaryCodes } from "./ternary_codes.ts";
import { withGradient } from "./with_gradient.ts";

/** How a linear layer quantizes. The keys are attributes of the fused kernel. */
export interface LinearQuantization {
  weightQuantizer: WeightQuantizerName;
  activationQuantizer: ActivationQuantizerName;
  scaleDtype: ScaleDtype;
}

/** One operand of the product, one scale per row: values = codes * scale. Null: the values are the codes. */
interface Operand {
  codes: tf.Tensor2D;
  /** [rows, 1] */
  scale: tf.Tensor2D | null;
}

/** All weights stacked to [sum N, K]; a matrix's weight_scale is repeated for its rows. */
function stackedWeights(weights: tf.Tensor2D[], { weightQuantizer, scaleDtype }: LinearQuantization): Operand {
  if (weightQuantizer === "none") return { codes: tf.concat(weights, 0), scale: null };
  const ternary = weights.map((weight) => ternaryCodes(weight, scaleDtype));
  const codes = ternary.map((matrix): tf.Tensor2D => tf.cast(matrix.codes, "float32"));
  const scales = ternary.map(
    ({ weightScale, codes }): tf.Tensor2D => tf.tile(tf.reshape(weightScale, [1, 1]), [codes.shape[0], 1]),
  );
  return { codes: tf.concat(codes, 0), scale: tf.concat(scales, 0) };
}

function activations(x: tf.Tensor2D, { activationQuantizer }: LinearQuantization): Operand {
  if (activationQuantizer === "none") return { codes: x, scale: null };
  const { codes, actScale } = absmaxInt8Codes(x);
  return { codes, scale: actScale };
}

function dequantized({ codes, scale }: Operand): tf.Tensor2D {
  return scale === null ? codes : tf.mul(codes, scale);
}

function composedForward(x: tf.Tensor, weights: tf.Tensor2D[], quantization: LinearQuantization): tf.Tensor {
  const w = stackedWeights(weights, quantization);
  const a = activations(asRows(x), quantization);
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

function composedBackward(
  x: tf.Tensor,
  weights: tf.Tensor2D[],
  dy: tf.Tensor,
  quantization: LinearQuantization,
  { precision, roundingKey }: BackwardRounding,
): tf.Tensor[] {
  const w = stackedWeights(weights, quantization);
  const a = activations(asRows(x), quantization);
  const isInt8 = precision === "int8";
  if (isInt8 && (w.scale === null || a.scale === null)) {
    throw new Error("int8 backward needs ternary weights and int8 activations");
  }
  const rows = asRows(dy);
  const { dx, dw } = isInt8
    ? integerProducts(rows, w, a, roundingKey)
    : floatProducts(rows, w, a, precision === "bf16");
  const outputs = weights.map((weight) => weight.shape[0]);
  return [tf.reshape(dx, x.shape), ...tf.split(dw, outputs, 0)];
}

/**
 * y = x . W^T for each weight, outputs concatenated: x [..., K], weights [N_i, K] -> [..., sum N_i].
 * Differentiable in every tensor (straight-through). At most three weights.
 *
 * With `surroundings`, y = residual + norm(activation(x)) . W^T as one op: the fused kernel keeps x and the scales
 * for the backward pass and computes what stands before the product again.
 */
export function bitLinear(
  x: tf.Tensor,
  weights: tf.Tensor2D[],
  quantization: LinearQuantization,
  surroundings: LinearSurroundings = {},
): tf.Tensor {
  if (!fusedKernel("BitLinear")) {
    return surroundedBy(surroundings, x, (input) => composed(input, weights, quantization));
  }
  const { weightQuantizer, activationQuantizer, scaleDtype } = quantization;
  const { activation = "none", norm, residual } = surroundings;
  const attributes = { weightQuantizer, activationQuantizer, scaleDtype, activation, epsilon: norm?.epsilon ?? 0 };
  const gains = norm ? [norm.gain] : [];
  const named = ([x, ...rest]: tf.Tensor[]) => {
    const [weight0, weight1, weight2] = rest.slice(0, weights.length);
    return { x, weight0, weight1, weight2, gain: rest[weights.length] };
  };
  const operands = [x, ...weights, ...gains];
  // Variables outlive the pass; to save another tensor costs a kernel call and a place on the tape.
  const passing = operands.filter((tensor) => !(tensor instanceof tf.Variable));
  return withGradient(
    residual ? [...operands, residual] : operands,
    (save) => {
      const [y, ...scales] = fusedKernel("BitLinear")!({ ...named(operands), residual }, attributes);
      save([...passing, ...scales]);
      return y!;
    },
    (dy, saved) => {
      const kept = operands.map((tensor) => saved[passing.indexOf(tensor)] ?? tensor);
      const scales = saved[passing.length];
      const rounding = nextBackwardRounding();
      const gradients = fusedKernel("BitLinearGrad")!({ ...named(kept), dy, scales }, { ...attributes, ...rounding });
      return residual ? [...gradients, tf.clone(dy)] : gradients;
    },
  );
}

/** The product alone, from plain ops. */
function composed(input: tf.Tensor, weights: tf.Tensor2D[], quantization: LinearQuantization): tf.Tensor {
  return withGradient(
    [input, ...weights],
    (save) => {
      save([input, ...weights]);
      return composedForward(input, weights, quantization);
    },
    (dy, [x, ...saved]) => composedBackward(x!, saved as tf.Tensor2D[], dy, quantization, nextBackwardRounding()),
  );
}
