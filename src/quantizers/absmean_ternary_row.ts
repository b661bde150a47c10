/**
 * `absmean_ternary_row`: BitNet b1.58's ternary weights with one scale a row, that is per output. The formula is that of
 * arXiv 2402.17764, each row a matrix of its own; scales per output channel are usual in post-training quantization
 * (LLM.int8(), arXiv 2208.07339).
 *
 *     forward     scale[r] = max(mean |W[r]|, 1e-5)      codes[r] = clip(round_half_even(W[r] * (1 / scale[r])), -1, 1)
 *                 W~[r] = codes[r] * scale_dtype(scale[r])
 *                 y[t, r] = float(acc) * (act_scale[t] * scale[r])
 *     backward    dW = dW~                               straight-through; not clipped
 *
 * Not differentiated: round, clip, the scales and their rounding. The mean of a row is accumulated in float64 in the 16
 * canonical lanes; 1e-5 keeps the reciprocal of a row of zeros finite.
 */
import { z } from "zod";
import { roundScale } from "../quant/round_to_dtype.ts";
import { absmeanOf, absoluteSum, ternarize, ternaryLevels } from "./ternary.ts";
import type { WeightQuantizerDefinition } from "./weight_quantizer.ts";

export const absmeanTernaryRow: WeightQuantizerDefinition = {
  name: "absmean_ternary_row",
  options: z.strictObject({}),
  create: (_options, scaleDtype) => ({
    name: "absmean_ternary_row",
    levels: ternaryLevels,
    scales: { per: "row" },
    scaleDtype,
    product: "ternary_row",
    fused: "absmean_row",
    quantize(latent, { rows, cols }) {
      const codes = new Int8Array(latent.length);
      const scales = Float32Array.from({ length: rows }, (_, row) => {
        const scale = absmeanOf(absoluteSum(latent, row * cols, cols), cols);
        ternarize(latent, row * cols, cols, scale, codes);
        return roundScale(scale, scaleDtype);
      });
      return { codes, scales };
    },
  }),
};
