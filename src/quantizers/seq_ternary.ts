/**
 * `seq_ternary`: stretched elastic quantization (SEQ) of ParetoQ (arXiv 2502.02631), its choice for ternary weights: three
 * levels that part the range from -a to a evenly, with a learnt for each row.
 *
 *     forward     a = max(step, 1e-5);   q = round_half_even(1.5 * clip(W / a, -0.99, 0.99))
 *                 W~ = q * scale_dtype(a / 1.5)          the paper's levels are 0 and +-2/3 a: stored as codes -1, 0, 1
 *     backward    dW = dW~ where |W / a| <= 0.99, else 0
 *                 dstep = sum dW~ * (q / 1.5 - W / a where |W / a| <= 0.99, else sign(W)) / sqrt(weights of the matrix)
 *
 * Learnt: `weight_step`, a of each row (or of the matrix, or of a group); it starts from max |W|, ParetoQ's choice. Not
 * differentiated: rounding, the scale's rounding, the limit of 1e-5. 0.99 keeps 1.5 * 1 from being rounded to 2. The 1 of
 * the weights outside is that of ParetoQ's code (the value has the slope 2/3 there). Sums are float64 in memory order.
 */
import { z } from "zod";
import { roundAndClip } from "../quant/round_half_even.ts";
import { granularityOf, optionalProductKey, quantizeSpans, scalePerKey, ternaryProduct } from "./granularity.ts";
import { positiveStep, type StepSlope, stepGradients, stepParameter } from "./learnt_step.ts";
import { ternaryLevels } from "./ternary.ts";
import type { WeightQuantizerDefinition } from "./weight_quantizer.ts";

const options = z.strictObject({ scale_per: scalePerKey("row"), product: optionalProductKey });

const limit = Math.fround(0.99);
/** Levels for the length from 0 to a. */
const stretch = 1.5;

/** Code of W / a. */
function codeOf(ratio: number): number {
  const clipped = ratio < -limit ? -limit : ratio > limit ? limit : ratio;
  return roundAndClip(Math.fround(stretch * clipped), -1, 1);
}

function largestMagnitude(latent: Float32Array, begin: number, count: number): number {
  let largest = 0;
  for (let i = begin; i < begin + count; i++) largest = Math.max(largest, Math.abs(latent[i]));
  return largest;
}

const slope: StepSlope = {
  low: -limit,
  high: limit,
  below: -1,
  above: 1,
  between: (ratio) => codeOf(ratio) / stretch - ratio,
  range: 1,
};

export const seqTernary: WeightQuantizerDefinition<typeof options> = {
  name: "seq_ternary",
  options,
  create: ({ scale_per, product }, scaleDtype) => {
    const scales = granularityOf(scale_per);
    return {
      name: "seq_ternary",
      levels: ternaryLevels,
      scales,
      scaleDtype,
      product: ternaryProduct(scales, product),
      fused: null,
      parameters: (shape) => [stepParameter(scales, shape, largestMagnitude)],
      quantize: (latent, shape, [steps]) =>
        quantizeSpans(scales, shape, scaleDtype, (begin, count, codes, index) => {
          const step = positiveStep(steps[index]);
          for (let i = begin; i < begin + count; i++) codes[i] = codeOf(Math.fround(latent[i] / step));
          return Math.fround(step / stretch);
        }),
      backward: (dy, latent, shape, [steps]) => stepGradients(dy, latent, shape, steps, scales, slope),
    };
  },
};
