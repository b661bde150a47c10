/** The AdamW step and the sums of squares of gradients. */
import type * as tf from "@tensorflow/tfjs";
import type { AdamWKernelAttributes } from "../../../src/ops/adamw_step.ts";
import type { NativeBackend } from "../native_backend.ts";
import type { NativeKernel } from "./kernel.ts";

/** Updates the variables `params`, `m` and `v` in place. No inputs: lists of tensors are attributes. Returns []. */
export const adamWStep: NativeKernel<AdamWKernelAttributes> = {
  name: "AdamWStep",
  run(_inputs, { params, grads, m, v, ...attributes }, backend: NativeBackend): tf.TensorInfo[] {
    const mutable = (tensors: readonly tf.TensorInfo[]) => tensors.map((tensor) => backend.mutableFloats(tensor));
    backend.addon.adamwStep(
      mutable(params),
      grads.map((tensor) => backend.floats(tensor)),
      mutable(m),
      mutable(v),
      attributes.weightDecays,
      attributes.learningRate,
      attributes.beta1,
      attributes.beta2,
      attributes.epsilon,
      attributes.step,
      attributes.gradScale,
    );
    return [];
  },
};

/** -> float32 [tensors]: the sum of squares of each of the attribute `tensors`, accumulated in float64. */
export const globalNormSquared: NativeKernel<{ tensors: readonly tf.TensorInfo[] }> = {
  name: "GlobalNormSquared",
  run(_inputs, { tensors }, backend: NativeBackend): tf.TensorInfo {
    const sums = backend.allocate([tensors.length]);
    backend.addon.sumsOfSquares(
      tensors.map((tensor) => backend.floats(tensor)),
      sums.values,
    );
    return sums.info;
  },
};
