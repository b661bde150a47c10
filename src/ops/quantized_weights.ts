/**
 * What a product multiplies for latent weights and their quantizer, and how its gradient comes back to the latent ones.
 */
import * as tf from "@tensorflow/tfjs";
import { dequantize, type WeightQuantizer } from "../quantizers/weight_quantizer.ts";
import { float32Values } from "./tensor_access.ts";
import { weightCodes } from "./weight_codes.ts";

/** `values` [N, K] float32 as they are, or `codes` int32 [N, K] in -1, 0, 1 with their scales, float32 [1] or [N]. */
export type ProductWeight =
  | { form: "values"; values: tf.Tensor2D }
  | { form: "codes"; codes: tf.Tensor2D; scales: tf.Tensor1D };

/** The operand that the latent `weight` stands for. Not differentiable. */
export function productWeight(weight: tf.Tensor2D, quantizer: WeightQuantizer | null): ProductWeight {
  if (quantizer === null) return { form: "values", values: weight };
  if (quantizer.product === "values") return { form: "values", values: dequantizedWeight(weight, quantizer) };
  return { form: "codes", ...weightCodes(weight, quantizer) };
}

/** What each weight [N, K] stands for: level * scale, or the stage's own value. Not differentiable. */
export function dequantizedWeight(weight: tf.Tensor2D, quantizer: WeightQuantizer): tf.Tensor2D {
  const [rows, cols] = weight.shape;
  const shape = { rows, cols };
  const latent = float32Values(weight);
  const values = quantizer.values?.(latent, shape) ?? dequantize(quantizer, quantizer.quantize(latent, shape), shape);
  return tf.tensor2d(values, [rows, cols], "float32");
}

/** Gradient of the latent weight, given that of the dequantized one. Straight-through, it is dweight itself. */
export function latentGradient(
  dweight: tf.Tensor2D,
  weight: tf.Tensor2D,
  quantizer: WeightQuantizer | null,
): tf.Tensor2D {
  if (!quantizer?.backward) return dweight;
  const [rows, cols] = weight.shape;
  const gradient = quantizer.backward(float32Values(dweight), float32Values(weight), { rows, cols });
  return tf.tensor2d(gradient, [rows, cols], "float32");
}
