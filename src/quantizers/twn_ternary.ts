/**
 * `twn_ternary`: ternary weight networks ("Ternary Weight Networks", arXiv 1605.04711): magnitudes above a threshold are
 * codes, and the scale is their mean, which for those codes is the L2-nearest one.
 *
 *     forward     D = threshold * mean |W|
 *                 codes = sign(W) where |W| > D, else 0
 *                 scale = max(mean |W| over the codes that are not 0, 1e-5)
 *                 W~ = codes * scale_dtype(scale)
 *     backward    dW = dW~                               straight-through; not clipped
 *
 * Means over the matrix, a row or a group. Not differentiated: the comparison, the scale and its rounding. 0.7 is the
 * paper's approximation of the best threshold, for weights between uniform (2/3) and normal ones (0.75, which AngelSlim
 * takes). Sums are float64: of all magnitudes in 16 lanes, of the kept ones in memory order. 1e-5 keeps a scale of
 * nothing above 0.
 */
import { z } from "zod";
import { granularityOf, optionalProductKey, quantizeSpans, scalePerKey, ternaryProduct } from "./granularity.ts";
import { absmeanOf, absoluteSum, smallestScale, ternaryLevels } from "./ternary.ts";
import type { WeightQuantizerDefinition } from "./weight_quantizer.ts";

const options = z.strictObject({
  scale_per: scalePerKey("tensor"),
  product: optionalProductKey,
  threshold: z.number().positive().default(0.7).describe("Smallest magnitude of a code that is not 0, in means."),
});

export const twnTernary: WeightQuantizerDefinition<typeof options> = {
  name: "twn_ternary",
  options,
  create: ({ scale_per, product, threshold }, scaleDtype) => {
    const scales = granularityOf(scale_per);
    return {
      name: "twn_ternary",
      levels: ternaryLevels,
      scales,
      scaleDtype,
      product: ternaryProduct(scales, product),
      fused: null,
      quantize: (latent, shape) =>
        quantizeSpans(scales, shape, scaleDtype, (begin, count, codes) => {
          const limit = Math.fround(Math.fround(threshold) * Math.fround(absoluteSum(latent, begin, count) / count));
          let sum = 0;
          let kept = 0;
          for (let i = begin; i < begin + count; i++) {
            const magnitude = Math.abs(latent[i]);
            if (!(magnitude > limit)) continue;
            codes[i] = latent[i] < 0 ? -1 : 1;
            sum += magnitude;
            kept++;
          }
          // NaN of a run that has diverged stays in the limit, and must show.
          return kept === 0 ? Math.max(limit * 0, smallestScale) : absmeanOf(sum, kept);
        }),
    };
  },
};
