/** Two ways to look at a tensor: as rows of its last axis, and as values on the host. */
import * as tf from "@tensorflow/tfjs";

/** x [..., K] seen as a matrix [rows, K]. */
export function asRows(x: tf.Tensor): tf.Tensor2D {
  const cols = x.shape[x.shape.length - 1];
  return tf.reshape(x, [x.size / cols, cols]);
}

/** Contents of a float32 tensor, on the host. */
export function float32Values(x: tf.Tensor): Float32Array {
  return x.dataSync<"float32">();
}
