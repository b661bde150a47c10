/** Op `GlobalNormSquared`: sum of squares of one tensor, accumulated in float64 in a fixed order. */
import * as tf from "@tensorflow/tfjs";
import { fusedKernel } from "./fused_kernel.ts";
import { float32Values } from "./tensor_access.ts";

/** Sum of x^2 as float32 [1]. Not differentiable. */
export function globalNormSquared(x: tf.Tensor): tf.Tensor1D {
  const kernel = fusedKernel("GlobalNormSquared");
  if (kernel) return kernel({ x })[0] as tf.Tensor1D;
  let sum = 0;
  for (const value of float32Values(x)) sum += value * value;
  return tf.tensor1d([sum], "float32");
}
