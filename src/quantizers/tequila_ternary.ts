/**
 * `tequila_ternary`: BitNet's ternary weights, and a bias of those that are 0 ("Tequila: Trapping-free Ternary Quantization
 * for Large Language Models", arXiv 2509.23809; AngelSlim's UltraQuantV2).
 *
 *     forward     scale, codes, W~ of absmean ternary
 *                 y = x W~^T + b,   b[row] = lambda * sum of the row's W whose codes are 0
 *     backward    dW = dW~                               straight-through; not clipped
 *                    + lambda * db[row] where the code is 0
 *
 * Scale of the matrix, a row or a group. Weights in the dead zone around 0 get only the noise of a straight-through
 * gradient; as a bias they get one of their own, and move out. Not differentiated: the scale, its rounding, and which codes
 * are 0. The sum of a row is float64 in memory order. Files for our own engine hold b beside the weight; it is added to the
 * product before the residual.
 */
import { z } from "zod";
import { granularityOf, optionalProductKey, quantizeSpans, scalePerKey, ternaryProduct } from "./granularity.ts";
import { absmeanOf, absoluteSum, ternarize, ternaryLevels } from "./ternary.ts";
import type { MatrixShape, WeightQuantizer, WeightQuantizerDefinition } from "./weight_quantizer.ts";

const options = z.strictObject({
  scale_per: scalePerKey("tensor"),
  product: optionalProductKey,
  lambda: z.number().positive().default(1e-3).describe("Weight of the bias; AngelSlim takes 1e-3."),
});

export const tequilaTernary: WeightQuantizerDefinition<typeof options> = {
  name: "tequila_ternary",
  options,
  create: ({ scale_per, product, lambda }, scaleDtype): WeightQuantizer => {
    const scales = granularityOf(scale_per);
    const quantize = (latent: Float32Array, shape: MatrixShape) =>
      quantizeSpans(scales, shape, scaleDtype, (begin, count, codes) => {
        const scale = absmeanOf(absoluteSum(latent, begin, count), count);
        ternarize(latent, begin, count, scale, codes);
        return scale;
      });
    return {
      name: "tequila_ternary",
      levels: ternaryLevels,
      scales,
      scaleDtype,
      product: ternaryProduct(scales, product),
      fused: null,
      quantize,
      rowBias: {
        value(latent, shape) {
          const { codes } = quantize(latent, shape);
          return Float32Array.from({ length: shape.rows }, (_, row) => {
            let sum = 0;
            for (let i = row * shape.cols; i < (row + 1) * shape.cols; i++) if (codes[i] === 0) sum += latent[i];
            return lambda * sum;
          });
        },
        backward(dbias, latent, shape) {
          const { codes } = quantize(latent, shape);
          const dlatent = new Float32Array(latent.length);
          for (let row = 0, i = 0; row < shape.rows; row++) {
            const moved = lambda * dbias[row];
            for (const end = i + shape.cols; i < end; i++) if (codes[i] === 0) dlatent[i] = moved;
          }
          return { latent: dlatent, learnt: [] };
        },
      },
    };
  },
};
