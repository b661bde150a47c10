/**
 * Op `SquaredRelu`: the activation of a feed-forward block without gate (Primer, arXiv 2109.08668).
 *
 *     y = max(x, 0)^2          dx = 2 max(x, 0) dy
 */
import * as tf from "@tensorflow/tfjs";
import { fusedKernel } from "./fused_kernel.ts";
import { withGradient } from "./with_gradient.ts";

/** max(x, 0)^2, same shape. Differentiable. */
export function squaredRelu<T extends tf.Tensor>(x: T): T {
  return withGradient<T>(
    [x],
    (save) => {
      save([x]);
      const kernel = fusedKernel("SquaredRelu");
      return (kernel ? kernel({ x })[0] : tf.square(tf.relu(x))) as T;
    },
    (dy, [x]) => {
      const kernel = fusedKernel("SquaredReluGrad");
      return kernel ? kernel({ x, dy }) : [tf.mul(tf.mul(2, tf.relu(x)), dy)];
    },
  );
}
