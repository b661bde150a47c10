/**
 * `absmean_int4`: 4-bit activations by the mean magnitude, one scale per token (the INT4 of BitNet a4.8,
 * arXiv 2411.04965, where it stands before q, k, v, gate and up; o and down have sparse int8 ones there).
 *
 *     b         = mean |x|
 *     codes     = clip(round_half_even(x * (sqrt(7) / (b + 1e-5))), -8, 7)
 *     act_scale = b / sqrt(7)                                      multiplies
 *
 * The mean is that of the weight quantizers: float64 in 16 lanes, divided, rounded to float32. Every other operation is
 * float32. Twin of `quantize_activations` in native/cc/core.
 */
import { z } from "zod";
import { roundAndClip } from "../quant/round_half_even.ts";
import { type ActivationQuantizerDefinition, rowQuantizer } from "./activation_quantizer.ts";
import { absoluteSum } from "./ternary.ts";

const sqrt7 = Math.fround(Math.sqrt(7));
const epsilon = Math.fround(1e-5);

function row(x: Float32Array, begin: number, cols: number, codes: Int8Array): number {
  const mean = Math.fround(absoluteSum(x, begin, cols) / cols);
  const inverse = Math.fround(sqrt7 / Math.fround(mean + epsilon));
  for (let i = begin; i < begin + cols; i++) codes[i] = roundAndClip(Math.fround(x[i] * inverse), -8, 7);
  return Math.fround(mean / sqrt7);
}

export const absmeanInt4: ActivationQuantizerDefinition = {
  name: "absmean_int4",
  options: z.strictObject({}),
  create: rowQuantizer("absmean_int4", 4, row),
};
