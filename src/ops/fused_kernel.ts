/**
 * How an op finds its fused kernel. A backend that registered one under the op's name (the native backend does)
 * computes it; on every other backend the op is composed of plain tfjs ops.
 */
import * as tf from "@tensorflow/tfjs";

/**
 * Runs the current backend's kernel. Undefined inputs are left out. Lists of tensors may be attributes where nothing is
 * differentiated.
 */
export type FusedKernel = (
  inputs: Record<string, tf.Tensor | undefined>,
  attributes?: Record<string, string | number | boolean | readonly number[] | readonly tf.Tensor[]>,
) => tf.Tensor[];

/**
 * The current backend's fused kernel of that name, or null when it has none.
 *
 * tfjs's `runKernel` records, profiles and looks everything up again, at 20 to 30 microseconds a call, of which a training
 * step of a small model makes a hundred. Inside an op that brings its own gradient, where nothing is recorded, the kernel
 * is called as it is.
 */
export function fusedKernel(name: string): FusedKernel | null {
  const engine = tf.engine();
  const kernel = tf.getKernel(name, engine.backendName);
  if (kernel === undefined) return null;
  return (inputs, attributes = {}) => {
    const present: tf.NamedTensorMap = {};
    for (const key in inputs) {
      const tensor = inputs[key];
      if (tensor !== undefined) present[key] = tensor;
    }
    const { gradientDepth, kernelDepth, profiling } = engine.state;
    if (profiling || (gradientDepth > 0 && kernelDepth === 0)) {
      const outputs = engine.runKernel(name, present, attributes as tf.NamedAttrMap) as tf.Tensor | tf.Tensor[];
      return Array.isArray(outputs) ? outputs : [outputs];
    }
    const outputs = kernel.kernelFunc({
      inputs: present,
      attrs: attributes as tf.NamedAttrMap,
      backend: engine.backend,
    });
    if (!Array.isArray(outputs)) return [engine.makeTensorFromTensorInfo(outputs)];
    return outputs.map((output) => engine.makeTensorFromTensorInfo(output));
  };
}
