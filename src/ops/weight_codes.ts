/**
 * Codes and multiplying scales of a latent matrix, for metrics and for the products that need them. Op `TernaryCodes`
 * where the quantizer has a kernel; otherwise the quantizer itself, so the codes are the same on every backend.
 */
import * as tf from "@tensorflow/tfjs";
import { integerLevels, type WeightQuantizer } from "../quantizers/weight_quantizer.ts";
import { fusedKernel } from "./fused_kernel.ts";
import { float32Values } from "./tensor_access.ts";

export interface WeightCodes {
  /** int32 [N, K]; those of an integer product are the levels that it multiplies. */
  codes: tf.Tensor2D;
  /** float32 [1], [N] or [N * K / group], rounded to the scale dtype. */
  scales: tf.Tensor1D;
}

/** Codes of `weight` [N, K], by what its quantizer has learnt for it. Not differentiable. */
export function weightCodes(
  weight: tf.Tensor2D,
  quantizer: WeightQuantizer,
  learnt: readonly tf.Tensor[] = [],
): WeightCodes {
  const { fused, scaleDtype } = quantizer;
  const kernel = fused && fusedKernel("TernaryCodes");
  if (fused && kernel) {
    const [codes, scales] = kernel({ weight }, { scaleDtype, weights: fused });
    return { codes: codes as tf.Tensor2D, scales: scales as tf.Tensor1D };
  }
  const [rows, cols] = weight.shape;
  const { codes, scales } = quantizer.quantize(float32Values(weight), { rows, cols }, learnt.map(float32Values));
  const multiplied = quantizer.product === "values" ? codes : integerLevels(quantizer, codes);
  return {
    codes: tf.tensor2d(new Int32Array(multiplied), [rows, cols], "int32"),
    scales: tf.tensor1d(scales, "float32"),
  };
}
