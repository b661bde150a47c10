/** The AdamW step and the sum of squares of a gradient. */
import type * as tf from "@tensorflow/tfjs";
import type { AdamWAttributes } from "../../../src/ops/adamw_step.ts";
import type { NativeBackend } from "../native_backend.ts";
import type { NativeKernel } from "./kernel.ts";

/** {param, grad, m, v}: updates the variables param, m and v in place. Returns []. */
export const adamWStep: NativeKernel<AdamWAttributes> = {
  name: "AdamWStep",
  run({ param, grad, m, v }, attributes, backend: NativeBackend): tf.TensorInfo[] {
    backend.addon.adamwStep(
      backend.mutableFloats(param),
      backend.floats(grad),
      backend.mutableFloats(m),
      backend.mutableFloats(v),
      attributes.learningRate,
      attributes.beta1,
      attributes.beta2,
      attributes.epsilon,
      attributes.weightDecay,
      attributes.step,
      attributes.gradScale,
    );
    return [];
  },
};

/** {x} -> float32 [1]: the sum of squares, accumulated in float64. */
export const globalNormSquared: NativeKernel = {
  name: "GlobalNormSquared",
  run({ x }, _attributes, backend: NativeBackend): tf.TensorInfo {
    const y = backend.allocate([1]);
    y.values[0] = backend.addon.normSquared(backend.floats(x));
    return y.info;
  },
};
