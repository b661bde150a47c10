/**
 * Activation checkpointing (arXiv 1604.06174): a part of the model keeps its input alone, and its backward pass runs the
 * forward pass again. A third more products for a fraction of the memory, and the same bits.
 */
import * as tf from "@tensorflow/tfjs";
import { withGradient } from "../ops/with_gradient.ts";

/** forward(x), whose gradients flow to x and `variables`: all that `forward` reads. */
export function recomputed(
  forward: (x: tf.Tensor) => tf.Tensor,
  x: tf.Tensor,
  variables: readonly tf.Variable[],
): tf.Tensor {
  return withGradient(
    [x, ...variables],
    (save) => {
      save([x]);
      return forward(x);
    },
    (dy, saved) => {
      // gradients() starts a tape of its own and drops it; the outer one is still being walked.
      const { state } = tf.engine();
      const outerTape = state.activeTape;
      try {
        const input = saved[0]!;
        return tf.engine().gradients(() => forward(input), [input, ...variables], dy).grads;
      } finally {
        state.activeTape = outerTape;
      }
    },
  );
}
