/** The AdamW step and the sums of squares of gradients. */
import type * as tf from "@tensorflow/tfjs";
import type { AdamWKernelAttributes } from "../../../src/ops/adamw_step.ts";
import type { NativeBackend } from "../native_backend.ts";
import { type NativeKernel, numberedInputs } from "./kernel.ts";

/** {param0, grad0, m0, v0, param1, ...}: updates the variables param, m and v in place. Returns []. */
export const adamWStep: NativeKernel<AdamWKernelAttributes> = {
  name: "AdamWStep",
  run(inputs, attributes, backend: NativeBackend): tf.TensorInfo[] {
    const mutable = (stem: string) => numberedInputs(inputs, stem).map((tensor) => backend.mutableFloats(tensor));
    backend.addon.adamwStep(
      mutable("param"),
      numberedInputs(inputs, "grad").map((tensor) => backend.floats(tensor)),
      mutable("m"),
      mutable("v"),
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

/** {x0, x1, ...} -> float32 [tensors]: the sum of squares of each, accumulated in float64. */
export const globalNormSquared: NativeKernel = {
  name: "GlobalNormSquared",
  run(inputs, _attributes, backend: NativeBackend): tf.TensorInfo {
    const tensors = numberedInputs(inputs, "x").map((tensor) => backend.floats(tensor));
    const sums = backend.allocate([tensors.length]);
    backend.addon.sumsOfSquares(tensors, sums.values);
    return sums.info;
  },
};
