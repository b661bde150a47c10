/**
 * How an op finds its fused kernel. A backend that registered one under the op's name (the native backend does)
 * computes it; on every other backend the op is composed of plain tfjs ops.
 */
import * as tf from "@tensorflow/tfjs";

/** Runs the current backend's kernel. Undefined inputs are left out. */
export type FusedKernel = (
  inputs: Record<string, tf.Tensor | undefined>,
  attributes?: Record<string, string | number | boolean>,
) => tf.Tensor[];

/** The current backend's fused kernel of that name, or null when it has none. */
export function fusedKernel(name: string): FusedKernel | null {
  if (tf.getKernel(name, tf.getBackend()) === undefined) return null;
  return (inputs, attributes = {}) => {
    const present: tf.NamedTensorMap = {};
    for (const key in inputs) {
      const tensor = inputs[key];
      if (tensor !== undefined) present[key] = tensor;
    }
    const outputs = tf.engine().runKernel(name, present, attributes) as tf.Tensor | tf.Tensor[];
    return Array.isArray(outputs) ? outputs : [outputs];
  };
}
