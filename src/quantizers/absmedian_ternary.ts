/**
 * `absmedian_ternary`: ternary weights scaled by the median magnitude ("BitNet b1.58 Reloaded", arXiv 2407.09527), one
 * scale a matrix.
 *
 *     forward     scale = max(median |W|, 1e-5);   codes = clip(round_half_even(W * (1 / scale)), -1, 1)
 *                 W~ = codes * scale_dtype(scale)
 *     backward    dW = dW~                         straight-through; not clipped
 *
 * Not differentiated: round, clip, the scale and its rounding. Of an even number of weights the median is the lower of
 * the two in the middle, as torch.median's: a magnitude that occurs, so it has no rounding of its own. The median of
 * normal weights is 0.85 of their mean: a quarter of the codes is 0 instead of a third, and outliers move nothing.
 * 1e-5 keeps the reciprocal finite.
 */
import { z } from "zod";
import { roundScale } from "../quant/round_to_dtype.ts";
import { smallestScale, ternarize, ternaryLevels } from "./ternary.ts";
import type { WeightQuantizerDefinition } from "./weight_quantizer.ts";

const floatView = new Float32Array(1);
const bitsView = new Uint32Array(floatView.buffer);

/** Bin of the rank-th (from 0) of the counted values, and its rank within that bin. */
function findBin(counts: Uint32Array, rank: number): [bin: number, rank: number] {
  let bin = 0;
  while (rank >= counts[bin]) rank -= counts[bin++];
  return [bin, rank];
}

/**
 * Lower median of |w|, exact: the bits of positive floats are ordered as they are, so two counts of 16 bits each find
 * it, at the cost of two passes. NaN if a value is not finite: such a run has diverged, and its loss should say so.
 */
export function medianMagnitude(weight: Float32Array): number {
  const bits = new Uint32Array(weight.buffer, weight.byteOffset, weight.length);
  const upper = new Uint32Array(1 << 15);
  for (let i = 0; i < bits.length; i++) upper[(bits[i] & 0x7fffffff) >>> 16]++;
  if (upper.subarray(0x7f80).some((count) => count > 0)) return Number.NaN;
  const [high, rank] = findBin(upper, (bits.length - 1) >> 1);
  const lower = new Uint32Array(1 << 16);
  for (let i = 0; i < bits.length; i++) if ((bits[i] & 0x7fffffff) >>> 16 === high) lower[bits[i] & 0xffff]++;
  const [low] = findBin(lower, rank);
  bitsView[0] = (high << 16) | low;
  return floatView[0];
}

export const absmedianTernary: WeightQuantizerDefinition = {
  name: "absmedian_ternary",
  options: z.strictObject({}),
  create: (_options, scaleDtype) => ({
    name: "absmedian_ternary",
    levels: ternaryLevels,
    scales: { per: "tensor" },
    scaleDtype,
    product: "ternary_tensor",
    fused: null,
    quantize(latent) {
      const scale = Math.max(medianMagnitude(latent), smallestScale);
      const codes = new Int8Array(latent.length);
      ternarize(latent, 0, latent.length, scale, codes);
      return { codes, scales: Float32Array.of(roundScale(scale, scaleDtype)) };
    },
  }),
};
