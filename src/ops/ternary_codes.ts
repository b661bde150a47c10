/**
 * Op `TernaryCodes`: codes and multiplying scale of a latent matrix, for metrics, export verification and the
 * composed BitLinear. Without a fused kernel the codes come from the reference in `src/quant`, so they are the same
 * on every backend.
 */
import * as tf from "@tensorflow/tfjs";
import type { ScaleDtype } from "../quant/dtypes.ts";
import { absmeanTernary } from "../quantizers/absmean_ternary.ts";
import { fusedKernel } from "./fused_kernel.ts";
import { float32Values } from "./tensor_access.ts";

export interface TernaryCodes {
  /** int32 [N, K]: -1, 0 or 1. */
  codes: tf.Tensor2D;
  /** float32 [1], rounded to the scale dtype. */
  weightScale: tf.Tensor1D;
}

/** Absmean ternary codes of `weight` [N, K]. Not differentiable. */
export function ternaryCodes(weight: tf.Tensor2D, scaleDtype: ScaleDtype): TernaryCodes {
  const kernel = fusedKernel("TernaryCodes");
  if (kernel) {
    const [codes, weightScale] = kernel({ weight }, { scaleDtype });
    return { codes: codes as tf.Tensor2D, weightScale: weightScale as tf.Tensor1D };
  }
  const [rows, cols] = weight.shape;
  const ternary = absmeanTernary(float32Values(weight), rows, cols, scaleDtype);
  return {
    codes: tf.tensor2d(Int32Array.from(ternary.codes), [rows, cols], "int32"),
    weightScale: tf.tensor1d([ternary.weightScale], "float32"),
  };
}
