/** Op `GlobalNormSquared`: sums of squares of tensors, each accumulated in float64 in a fixed order. */
import type * as tf from "@tensorflow/tfjs";
import { fusedKernel } from "./fused_kernel.ts";
import { float32Values } from "./tensor_access.ts";

function sumOfSquares(x: tf.Tensor): number {
  let sum = 0;
  for (const value of float32Values(x)) sum += value * value;
  return Math.fround(sum);
}

/** Sum of the squares of all tensors: each one's is rounded to float32, and they are added in order. Not differentiable. */
export function globalNormSquared(tensors: readonly tf.Tensor[]): number {
  const kernel = fusedKernel("GlobalNormSquared");
  if (!kernel) return tensors.reduce((sum, x) => sum + sumOfSquares(x), 0);
  const [sums] = kernel({}, { tensors });
  const total = float32Values(sums!).reduce((sum, value) => sum + value, 0);
  sums!.dispose();
  return total;
}
