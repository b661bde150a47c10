/**
 * What a product multiplies for latent weights and their quantizer, and how its gradient comes back to the latent ones
 * and to what the quantizer learns.
 */
import * as tf from "@tensorflow/tfjs";
import { quantizerGradients, type WeightQuantizer, weightValues } from "../quantizers/weight_quantizer.ts";
import { float32Values } from "./tensor_access.ts";
import { weightCodes } from "./weight_codes.ts";

/** Tensors that a quantizer has learnt for one weight, in the order of its `parameters`. */
export type LearntTensors = readonly tf.Tensor[];

/**
 * `values` [N, K] float32 as they are, or `codes` int32 [N, K] in -1, 0, 1 with their scales, float32 [1], [N] or
 * [N * K / group].
 */
export type ProductWeight =
  | { form: "values"; values: tf.Tensor2D }
  | { form: "codes"; codes: tf.Tensor2D; scales: tf.Tensor1D };

/** The operand that the latent `weight` stands for. Not differentiable. */
export function productWeight(
  weight: tf.Tensor2D,
  quantizer: WeightQuantizer | null,
  learnt: LearntTensors,
): ProductWeight {
  if (quantizer === null) return { form: "values", values: weight };
  if (quantizer.product === "values") return { form: "values", values: dequantizedWeight(weight, quantizer, learnt) };
  return { form: "codes", ...weightCodes(weight, quantizer, learnt) };
}

/** What each weight [N, K] stands for: level * scale, or the quantizer's own value. Not differentiable. */
export function dequantizedWeight(weight: tf.Tensor2D, quantizer: WeightQuantizer, learnt: LearntTensors): tf.Tensor2D {
  const [rows, cols] = weight.shape;
  const values = weightValues(quantizer, float32Values(weight), { rows, cols }, learnt.map(float32Values));
  return tf.tensor2d(values, [rows, cols], "float32");
}

/** True if the gradient of the latent weight is not just that of the dequantized one. */
export function hasOwnGradient(quantizer: WeightQuantizer | null): quantizer is WeightQuantizer {
  return quantizer?.backward !== undefined;
}

/**
 * Gradients of the latent weight and of what is learnt, given that of the dequantized weight. Without a gradient of the
 * quantizer's own the first is `dweight` itself, and the others are zeros: nothing reads them.
 */
export function latentGradients(
  dweight: tf.Tensor2D,
  weight: tf.Tensor2D,
  quantizer: WeightQuantizer | null,
  learnt: LearntTensors,
): { latent: tf.Tensor2D; learnt: tf.Tensor[] } {
  if (!hasOwnGradient(quantizer)) return { latent: dweight, learnt: learnt.map((each) => tf.zerosLike(each)) };
  const [rows, cols] = weight.shape;
  const gradients = quantizerGradients(
    quantizer,
    float32Values(dweight),
    float32Values(weight),
    { rows, cols },
    learnt.map(float32Values),
  );
  return {
    latent: tf.tensor2d(gradients.latent, [rows, cols], "float32"),
    learnt: learnt.map((each, i) => tf.tensor(gradients.learnt[i], each.shape, "float32")),
  };
}
