/**
 * Absmean ternary weights of BitNet b1.58 (arXiv 2402.17764 and its "Training Tips, Code and FAQ"): one scale per
 * matrix.
 *
 *     scale   = max(mean |W|, 1e-5)
 *     ternary = clip(round_half_even(W * (1 / scale)), -1, 1)
 *
 * Codes multiply by the float32 reciprocal, as the official code does; a division changes bits at the edges. The
 * scale that multiplies the integer product is `scale` rounded to `scale_dtype`; the codes use the unrounded one.
 * This is the reference of the integer part: every native variant returns the same codes and the same scale bits.
 */
import { z } from "zod";
import type { ScaleDtype } from "../quant/dtypes.ts";
import { roundAndClip } from "../quant/round_half_even.ts";
import { roundScale } from "../quant/round_to_dtype.ts";
import type { WeightQuantizerDefinition } from "./weight_quantizer.ts";

/** Smallest scale: keeps the reciprocal finite for a matrix of zeros. */
const smallestScale = Math.fround(1e-5);

/** Lanes of the canonical sum: element i of a row belongs to lane i mod 16 (native/cc/core/canonical_math.h). */
const laneCount = 16;
const lanes = new Float64Array(laneCount);

/** Sum of |w| of one row in float64: 16 lanes in order, then the tree 16 -> 8 -> 4 -> 2 -> 1. */
function absSumRow(weight: Float32Array, begin: number, cols: number): number {
  lanes.fill(0);
  for (let i = 0; i < cols; i++) lanes[i & (laneCount - 1)] += Math.abs(weight[begin + i]);
  for (let width = laneCount / 2; width >= 1; width /= 2) {
    for (let i = 0; i < width; i++) lanes[i] += lanes[i + width];
  }
  return lanes[0];
}

/**
 * max(mean |W|, 1e-5) of a row-major matrix, as float32: rows are added in order in float64, then divided.
 * `weight` has rows * cols elements.
 */
export function absmeanScale(weight: Float32Array, rows: number, cols: number): number {
  let total = 0;
  for (let row = 0; row < rows; row++) total += absSumRow(weight, row * cols, cols);
  return Math.max(Math.fround(total / (rows * cols)), smallestScale);
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
  const inverse = Math.fround(1 / scale);
  const codes = new Int8Array(rows * cols);
  for (let i = 0; i < codes.length; i++) codes[i] = roundAndClip(Math.fround(weight[i] * inverse), -1, 1);
  return { codes, weightScale: roundScale(scale, scaleDtype) };
}

export const absmeanTernaryQuantizer: WeightQuantizerDefinition = {
  name: "absmean_ternary",
  options: z.strictObject({}),
  create: (_options, scaleDtype) => ({
    name: "absmean_ternary",
    levels: [-1, 0, 1],
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
