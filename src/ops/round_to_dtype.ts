/**
 * Op `RoundToDtype`: float32 values rounded to the type that the file will store; gradient: identity
 * (straight-through).
 */
import * as tf from "@tensorflow/tfjs";
import type { EmbeddingDtype } from "../quant/dtypes.ts";
import { roundRows } from "../quant/round_to_dtype.ts";
import { fusedKernel } from "./fused_kernel.ts";
import { float32Values } from "./tensor_access.ts";
import { withGradient } from "./with_gradient.ts";

/**
 * x rounded to `dtype`; f32 returns x itself. q8_0 needs a last axis that is a multiple of 32; int8_row has a scale for each
 * row of the last axis.
 */
export function roundToDtype<T extends tf.Tensor>(x: T, dtype: EmbeddingDtype): T {
  if (dtype === "f32") return x;
  return withGradient<T>(
    [x],
    () => {
      const kernel = fusedKernel("RoundToDtype");
      if (kernel) return kernel({ x }, { dtype })[0] as T;
      return tf.tensor(roundRows(float32Values(x), x.shape[x.rank - 1]!, dtype), x.shape, "float32") as T;
    },
    (dy) => [tf.clone(dy)],
  );
}
