/**
 * `absmean_ternary`: the weights of BitNet b1.58, one scale a matrix (arXiv 2402.17764; "Training Tips, Code and FAQ").
 *
 *     forward     scale = max(mean |W|, 1e-5);   codes = clip(round_half_even(W * (1 / scale)), -1, 1)
 *                 W~ = codes * scale_dtype(scale)
 *     backward    dW = dW~                       straight-through; not clipped
 *
 * Not differentiated: round, clip, the scale and its rounding to `scale_dtype`. The codes multiply by the reciprocal of
 * the scale before its rounding, as the official code does. mean |W| is the L2-nearest scale of a grid whose weights are
 * all +-1; it leaves about a third of normal weights at 0. 1e-5 keeps the reciprocal finite.
 */
import { z } from "zod";
import type { ScaleDtype } from "../quant/dtypes.ts";
import { roundScale } from "../quant/round_to_dtype.ts";
import { absmeanOf, absoluteSum, ternarize, ternaryLevels } from "./ternary.ts";
import type { WeightQuantizerDefinition } from "./weight_quantizer.ts";

/**
 * max(mean |W|, 1e-5) of a row-major matrix, as float32: rows are added in order in float64, then divided.
 * `weight` has rows * cols elements.
 */
export function absmeanScale(weight: Float32Array, rows: number, cols: number): number {
  let total = 0;
  for (let row = 0; row < rows; row++) total += absoluteSum(weight, row * cols, cols);
  return absmeanOf(total, rows * cols);
}

export interface TernaryMatrix {
  /** -1, 0 or 1, row-major like the latent weight. */
  codes: Int8Array;
  /** Multiplies; rounded to the scale dtype. */
  weightScale: number;
}

/** Ternary codes and weight_scale of a row-major latent matrix [rows, cols]. */
export function absmeanTernary(
  weight: Float32Array,
  rows: number,
  cols: number,
  scaleDtype: ScaleDtype = "f16",
): TernaryMatrix {
  const scale = absmeanScale(weight, rows, cols);
  const codes = new Int8Array(rows * cols);
  ternarize(weight, 0, codes.length, scale, codes);
  return { codes, weightScale: roundScale(scale, scaleDtype) };
}

export const absmeanTernaryQuantizer: WeightQuantizerDefinition = {
  name: "absmean_ternary",
  options: z.strictObject({}),
  create: (_options, scaleDtype) => ({
    name: "absmean_ternary",
    levels: ternaryLevels,
    scales: { per: "tensor" },
    scaleDtype,
    product: "ternary_tensor",
    fused: "absmean_tensor",
    quantize(latent, { rows, cols }) {
      const { codes, weightScale } = absmeanTernary(latent, rows, cols, scaleDtype);
      return { codes, scales: Float32Array.of(weightScale) };
    },
  }),
};
