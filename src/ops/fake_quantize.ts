/**
 * Quantizers as differentiable functions: the forward value is the dequantized one, the gradient passes straight
 * through (no gradient through round, clip or scale). BitLinear fuses these two; they stand alone for other layers.
 */
import * as tf from "@tensorflow/tfjs";
import type { ScaleDtype } from "../quant/dtypes.ts";
import { asRows } from "./tensor_access.ts";
import { ternaryCodes } from "./ternary_codes.ts";
import { withGradient } from "./with_gradient.ts";

/** Lower limit of a row's max |x|, as in `src/quantizers/absmax_int8.ts`. */
const smallestAbsmax = 1e-5;

export interface ActivationCodes {
  /** Integers -128 .. 127 stored as float32 [rows, K]. */
  codes: tf.Tensor2D;
  /** float32 [rows, 1]; multiplies. */
  actScale: tf.Tensor2D;
}

/** Absmax int8 codes of x [rows, K] in tfjs ops: the operations and rounding of `src/quantizers/absmax_int8.ts`. */
export function absmaxInt8Codes(x: tf.Tensor2D): ActivationCodes {
  const absmax: tf.Tensor2D = tf.maximum(tf.max(tf.abs(x), 1, true), smallestAbsmax);
  const codes = tf.clipByValue(tf.round(tf.mul(x, tf.div(127, absmax))), -128, 127);
  return { codes: codes as tf.Tensor2D, actScale: tf.div(absmax, 127) };
}

function straightThrough<T extends tf.Tensor>(x: T, forward: () => T): T {
  return withGradient([x], forward, (dy) => [tf.clone(dy)]);
}

/** weight_scale * ternary codes of `weight` [N, K]; gradient: identity. */
export function absmeanTernaryWeights(weight: tf.Tensor2D, scaleDtype: ScaleDtype): tf.Tensor2D {
  return straightThrough(weight, () => {
    const { codes, weightScale } = ternaryCodes(weight, scaleDtype);
    return tf.mul(tf.cast(codes, "float32"), weightScale);
  });
}

/** act_scale * int8 codes of x [..., K], one scale per row; gradient: identity. */
export function absmaxInt8Activations<T extends tf.Tensor>(x: T): T {
  return straightThrough(x, () => {
    const { codes, actScale } = absmaxInt8Codes(asRows(x));
    return tf.reshape(tf.mul(codes, actScale), x.shape) as T;
  });
}
