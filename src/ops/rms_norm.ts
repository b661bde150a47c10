/**
 * Op `RMSNorm` over the last axis (arXiv 1910.07467).
 *
 *     r = 1 / sqrt(mean(x^2) + eps),   n = x * r,   y = gain * n
 *
 *     dgain = sum over rows of dy * n          dx = r * (g - n * mean(g * n)),  g = dy * gain
 */
import * as tf from "@tensorflow/tfjs";
import { fusedKernel } from "./fused_kernel.ts";
import { asRows } from "./tensor_access.ts";
import { withGradient } from "./with_gradient.ts";

/** r [rows, 1] of x [rows, n]. */
function inverseRootMeanSquare(x: tf.Tensor2D, epsilon: number): tf.Tensor {
  return tf.div(1, tf.sqrt(tf.add(tf.mean(tf.square(x), 1, true), epsilon)));
}

function composedBackward(x: tf.Tensor, gain: tf.Tensor, dy: tf.Tensor, epsilon: number): tf.Tensor[] {
  const rows = asRows(x);
  const dyRows = asRows(dy);
  const r = inverseRootMeanSquare(rows, epsilon);
  const n = tf.mul(rows, r);
  const g = tf.mul(dyRows, gain);
  const dx = tf.mul(r, tf.sub(g, tf.mul(n, tf.mean(tf.mul(g, n), 1, true))));
  return [tf.reshape(dx, x.shape), tf.sum(tf.mul(dyRows, n), 0)];
}

/** RMSNorm of x [..., n] with gain [n]. Differentiable in both. */
export function rmsNorm<T extends tf.Tensor>(x: T, gain: tf.Tensor1D, epsilon: number): T {
  return withGradient<T>(
    [x, gain],
    (save) => {
      save([x, gain]);
      const kernel = fusedKernel("RMSNorm");
      if (kernel) return kernel({ x, gain }, { epsilon })[0] as T;
      const rows = asRows(x);
      return tf.reshape(tf.mul(gain, tf.mul(rows, inverseRootMeanSquare(rows, epsilon))), x.shape) as T;
    },
    (dy, [x, gain]) => {
      const kernel = fusedKernel("RMSNormGrad");
      return kernel ? kernel({ x, gain, dy }, { epsilon }) : composedBackward(x!, gain!, dy, epsilon);
    },
  );
}
