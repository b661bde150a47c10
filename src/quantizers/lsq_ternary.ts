/**
 * `lsq_ternary`: ternary weights whose scale is learnt, "Learned Step Size Quantization" (LSQ, arXiv 1902.08153) with
 * three levels, as ParetoQ compares it (arXiv 2502.02631, which finds SEQ better for ternary weights).
 *
 *     forward     a = max(step, 1e-5);   codes = clip(round_half_even(W / a), -1, 1);   W~ = codes * scale_dtype(a)
 *     backward    dW = dW~ where |W / a| <= 1, else 0
 *                 dstep = sum dW~ * (codes - W / a where |W / a| <= 1, else codes) / sqrt(weights of the matrix)
 *
 * Learnt: `weight_step`, one for the matrix, each row or each group; it starts from 2 mean |W|. What is not
 * differentiated and the reason of each constant: `learnt_step.ts`.
 */
import { z } from "zod";
import { granularityOf, optionalProductKey, scalePerKey, ternaryProduct } from "./granularity.ts";
import { lsqInitialStep, lsqSlope, quantizeByStep, stepGradients, stepParameter } from "./learnt_step.ts";
import { ternaryLevels } from "./ternary.ts";
import type { WeightQuantizerDefinition } from "./weight_quantizer.ts";

const options = z.strictObject({ scale_per: scalePerKey("tensor"), product: optionalProductKey });
const range = { low: -1, high: 1 };

export const lsqTernary: WeightQuantizerDefinition<typeof options> = {
  name: "lsq_ternary",
  options,
  create: ({ scale_per, product }, scaleDtype) => {
    const scales = granularityOf(scale_per);
    return {
      name: "lsq_ternary",
      levels: ternaryLevels,
      scales,
      scaleDtype,
      product: ternaryProduct(scales, product),
      fused: null,
      parameters: (shape) => [stepParameter(scales, shape, lsqInitialStep(range))],
      quantize: (latent, shape, [steps]) => quantizeByStep(latent, shape, steps, scales, range, scaleDtype),
      backward: (dy, latent, shape, [steps]) => stepGradients(dy, latent, shape, steps, scales, lsqSlope(range)),
    };
  },
};
