/**
 * `absmean_ternary_group`: BitNet b1.58's ternary weights with one scale for `group_size` neighbours of a row, as the
 * groups of GPTQ (arXiv 2210.17323) and AWQ (arXiv 2306.00978); the formula is that of arXiv 2402.17764, each group a
 * matrix of its own.
 *
 *     forward     scale[r, g] = max(mean |W[r, g]|, 1e-5)
 *                 codes[r, g] = clip(round_half_even(W[r, g] * (1 / scale[r, g])), -1, 1)
 *                 W~[r, g] = codes[r, g] * scale_dtype(scale[r, g])
 *                 y[t, r] = (chain of fma(float(acc[g]), scale[r, g]) over g) * act_scale[t]
 *     backward    dW = dW~                               straight-through; not clipped
 *
 * Not differentiated: round, clip, the scales and their rounding. The mean of a group is accumulated in float64 in the
 * 16 canonical lanes, counted from the group's first weight. `group_size` divides the rows of every linear layer.
 *
 * `product: values` multiplies the values W~ in float32 instead, as runs did before groups had a product of integers.
 */
import { z } from "zod";
import { roundScale } from "../quant/round_to_dtype.ts";
import { groupSizes, productKey, ternaryProduct } from "./granularity.ts";
import { absmeanOf, absoluteSum, ternarize, ternaryLevels } from "./ternary.ts";
import type { WeightQuantizerDefinition } from "./weight_quantizer.ts";

const options = z.strictObject({
  group_size: z.literal(groupSizes).default(128).describe("Neighbours of a row that share a scale."),
  product: productKey("integers"),
});

export const absmeanTernaryGroup: WeightQuantizerDefinition<typeof options> = {
  name: "absmean_ternary_group",
  options,
  create: ({ group_size: size, product }, scaleDtype) => ({
    name: "absmean_ternary_group",
    levels: ternaryLevels,
    scales: { per: "group", size },
    scaleDtype,
    product: ternaryProduct({ per: "group", size }, product),
    fused: product === "integers" ? `absmean_group_${size}` : null,
    quantize(latent) {
      const codes = new Int8Array(latent.length);
      const scales = Float32Array.from({ length: latent.length / size }, (_, group) => {
        const scale = absmeanOf(absoluteSum(latent, group * size, size), size);
        ternarize(latent, group * size, size, scale, codes);
        return roundScale(scale, scaleDtype);
      });
      return { codes, scales };
    },
  }),
};
