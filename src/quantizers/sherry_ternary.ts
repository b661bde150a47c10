/**
 * `sherry_ternary`: 3:4 sparse ternary weights of "Sherry" (arXiv 2601.07892): of each four neighbours of a row the one of
 * the smallest magnitude is 0, the others are their sign, so that four codes take 5 bits.
 *
 *     forward     codes = 0 for the smallest |W| of a four (the last of equals), else +1 where W >= 0, else -1
 *                 scale = max(mean |W| over the codes that are not 0, 1e-5)
 *                 W~ = codes * scale_dtype(scale)
 *     backward    dW = dW~                               straight-through, of the zeros too; not clipped
 *
 * Means over the matrix, a row or a group (the paper: groups of 128). Not differentiated: the choice, sign, the scale and
 * its rounding. The paper trains it with Arenas' residual, since codes that are never rounded to 0 make gradients alike.
 * The sum of kept magnitudes is float64 in memory order. Rows are multiples of four.
 */
import { z } from "zod";
import { granularityOf, optionalProductKey, quantizeSpans, scalePerKey, ternaryProduct } from "./granularity.ts";
import { absmeanOf, ternaryLevels } from "./ternary.ts";
import type { WeightQuantizerDefinition } from "./weight_quantizer.ts";

const options = z.strictObject({ scale_per: scalePerKey("tensor"), product: optionalProductKey });

/** Neighbours of which one is 0. */
const block = 4;

export const sherryTernary: WeightQuantizerDefinition<typeof options> = {
  name: "sherry_ternary",
  options,
  create: ({ scale_per, product }, scaleDtype) => {
    const scales = granularityOf(scale_per);
    return {
      name: "sherry_ternary",
      levels: ternaryLevels,
      scales,
      scaleDtype,
      product: ternaryProduct(scales, product),
      fused: null,
      blockWeights: block,
      quantize: (latent, shape) =>
        quantizeSpans(scales, shape, scaleDtype, (begin, count, codes) => {
          let sum = 0;
          for (let first = begin; first < begin + count; first += block) {
            let smallest = first;
            for (let i = first; i < first + block; i++) {
              const magnitude = Math.abs(latent[i]);
              sum += magnitude;
              if (magnitude <= Math.abs(latent[smallest])) smallest = i;
              codes[i] = latent[i] < 0 ? -1 : 1;
            }
            codes[smallest] = 0;
            sum -= Math.abs(latent[smallest]);
          }
          return absmeanOf(sum, (count / block) * (block - 1));
        }),
    };
  },
};
