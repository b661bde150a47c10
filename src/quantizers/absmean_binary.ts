/**
 * `absmean_binary`: one-bit weights of BitNet (arXiv 2310.11453): signs around the mean.
 *
 *     forward     e = mean W, or 0 with `centred: false`;   codes = +1 where W >= e, else -1
 *                 scale = max(mean |W|, 1e-5);   W~ = codes * scale_dtype(scale)
 *     backward    dW = dW~                               straight-through; not clipped
 *
 * Means over the matrix (the paper), a row or a group. Not differentiated: sign, e, the scale and its rounding. e makes
 * as many codes of either sign of weights that are not centred, and is not added back. mean |W| is the L2-nearest scale
 * of signs. Sums are float64, of magnitudes in 16 lanes, of weights in memory order. Levels -1 and 1 are ternary ones
 * without 0: they have the integer product and the packed types of those.
 */
import { z } from "zod";
import { granularityOf, optionalProductKey, quantizeSpans, scalePerKey, ternaryProduct } from "./granularity.ts";
import { absmeanOf, absoluteSum } from "./ternary.ts";
import type { WeightQuantizerDefinition } from "./weight_quantizer.ts";

const options = z.strictObject({
  scale_per: scalePerKey("tensor"),
  product: optionalProductKey,
  centred: z.boolean().default(true).describe("Signs around the mean of the weights, not around 0."),
});

function meanOf(latent: Float32Array, begin: number, count: number): number {
  let sum = 0;
  for (let i = begin; i < begin + count; i++) sum += latent[i];
  return Math.fround(sum / count);
}

export const absmeanBinary: WeightQuantizerDefinition<typeof options> = {
  name: "absmean_binary",
  options,
  create: ({ scale_per, product, centred }, scaleDtype) => {
    const scales = granularityOf(scale_per);
    return {
      name: "absmean_binary",
      levels: [-1, 1],
      scales,
      scaleDtype,
      product: ternaryProduct(scales, product),
      fused: null,
      quantize: (latent, shape) =>
        quantizeSpans(scales, shape, scaleDtype, (begin, count, codes) => {
          const centre = centred ? meanOf(latent, begin, count) : 0;
          // Code -1 is the first of two levels, 0 the second.
          for (let i = begin; i < begin + count; i++) codes[i] = latent[i] >= centre ? 0 : -1;
          return absmeanOf(absoluteSum(latent, begin, count), count);
        }),
    };
  },
};
