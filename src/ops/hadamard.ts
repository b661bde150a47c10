/**
 * Op `Hadamard` over the last axis, in blocks of the largest power of two that divides it (BitNet v2, arXiv 2504.18415): see
 * src/quant/hadamard.ts.
 *
 *     y = H x          dx = H dy,  since H is symmetric
 */
import * as tf from "@tensorflow/tfjs";
import { hadamardRows } from "../quant/hadamard.ts";
import { fusedKernel } from "./fused_kernel.ts";
import { float32Values } from "./tensor_access.ts";
import { withGradient } from "./with_gradient.ts";

function transformed(x: tf.Tensor): tf.Tensor {
  const kernel = fusedKernel("Hadamard");
  if (kernel) return kernel({ x })[0];
  return tf.tensor(hadamardRows(float32Values(x), x.shape.at(-1)!), x.shape, "float32");
}

/** H x of the rows of x [..., n]. Differentiable. */
export function hadamard<T extends tf.Tensor>(x: T): T {
  return withGradient<T>(
    [x],
    () => transformed(x) as T,
    (dy) => [transformed(dy)],
  );
}
