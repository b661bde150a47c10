/** Op `ConcatColumns`: tensors side by side on the last axis; the gradient is cut where they meet. */
import * as tf from "@tensorflow/tfjs";
import { fusedKernel } from "./fused_kernel.ts";
import { withGradient } from "./with_gradient.ts";

/** parts [..., N_i] -> [..., sum N_i]. Differentiable. */
export function concatColumns(parts: tf.Tensor[]): tf.Tensor {
  const widths = parts.map((part) => part.shape.at(-1)!);
  return withGradient(
    parts,
    () => {
      const kernel = fusedKernel("ConcatColumns");
      return kernel ? kernel(Object.fromEntries(parts.map((part, i) => [`part${i}`, part])))[0] : tf.concat(parts, -1);
    },
    (dy) => {
      const kernel = fusedKernel("SplitColumns");
      return kernel ? kernel({ x: dy }, { widths }) : tf.split(dy, widths, -1);
    },
  );
}
