/**
 * Quantizers as differentiable functions: the forward value is the dequantized one, the gradient passes straight
 * through (no gradient through round, clip or scale) where the quantizer has none of its own. BitLinear fuses these two;
 * they stand alone for other layers.
 */
import * as tf from "@tensorflow/tfjs";
import { smallestAbsmax } from "../quantizers/absmax_int8.ts";
import type { ActivationQuantizer } from "../quantizers/activation_quantizer.ts";
import { defaultActivationQuantizer } from "../quantizers/registry.ts";
import type { WeightQuantizer } from "../quantizers/weight_quantizer.ts";
import { dequantizedWeight, hasOwnGradient, type LearntTensors, latentGradients } from "./quantized_weights.ts";
import { asRows, float32Values } from "./tensor_access.ts";
import { withGradient } from "./with_gradient.ts";

export interface ActivationCodes {
  /** Integers stored as float32 [rows, K]. */
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

/** Codes of x [rows, K] by any quantizer. */
export function activationCodes(x: tf.Tensor2D, quantizer: ActivationQuantizer): ActivationCodes {
  if (quantizer.name === defaultActivationQuantizer) return absmaxInt8Codes(x);
  const [rows, cols] = x.shape;
  const { codes, actScales } = quantizer.quantize(float32Values(x), rows, cols);
  return {
    codes: tf.tensor2d(Float32Array.from(codes), [rows, cols]),
    actScale: tf.tensor2d(actScales, [rows, 1]),
  };
}

/** The dequantized `weight` [N, K]; gradient: the quantizer's, in most the identity. `learnt` is what it has learnt. */
export function quantizedWeights(
  weight: tf.Tensor2D,
  quantizer: WeightQuantizer,
  learnt: LearntTensors = [],
): tf.Tensor2D {
  return withGradient<tf.Tensor2D>(
    [weight, ...learnt],
    (save) => {
      save(hasOwnGradient(quantizer) ? [weight, ...learnt] : []);
      return dequantizedWeight(weight, quantizer, learnt);
    },
    (dy, [latent, ...saved]) => {
      const gradients = latentGradients(dy, latent as tf.Tensor2D, quantizer, saved.length > 0 ? saved : learnt);
      return [gradients.latent === dy ? tf.clone(dy) : gradients.latent, ...gradients.learnt];
    },
  );
}

/** act_scale * codes of x [..., K], one scale per row; gradient: identity. */
export function quantizedActivations<T extends tf.Tensor>(x: T, quantizer: ActivationQuantizer): T {
  return withGradient<T>(
    [x],
    () => {
      const { codes, actScale } = activationCodes(asRows(x), quantizer);
      return tf.reshape(tf.mul(codes, actScale), x.shape) as T;
    },
    (dy) => [tf.clone(dy)],
  );
}

/**
 * x + share (Q(x) - x) for activations x [..., K]; gradient: identity. One pass over the values: the nine operations of
 * tfjs that it stands for take seven times as long.
 */
export function partlyQuantizedActivations<T extends tf.Tensor>(
  x: T,
  quantizer: ActivationQuantizer,
  share: number,
): T {
  return withGradient<T>(
    [x],
    () => {
      const values = float32Values(x);
      const cols = x.shape[x.shape.length - 1];
      const { codes, actScales } = quantizer.quantize(values, values.length / cols, cols);
      const mixed = new Float32Array(values.length);
      for (let row = 0, i = 0; row < actScales.length; row++) {
        const scale = actScales[row];
        for (const end = i + cols; i < end; i++) mixed[i] = values[i] + share * (codes[i] * scale - values[i]);
      }
      return tf.tensor(mixed, x.shape, "float32") as T;
    },
    (dy) => [tf.clone(dy)],
  );
}
