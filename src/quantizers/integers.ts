/**
 * `int2`, `int4`, `int8`: weights of b bits, the levels from -2^(b-1) to 2^(b-1) - 1, for comparisons with ternary ones.
 *
 *     forward     scale = max(max |W| / (2^(b-1) - 1/2), 1e-5)
 *                 codes = clip(round_half_even(W * (1 / scale)), -2^(b-1), 2^(b-1) - 1)
 *                 W~ = codes * scale_dtype(scale)
 *     backward    dW = dW~                               straight-through; not clipped
 *
 * With `learnt` the scale is LSQ's step (arXiv 1902.08153; formulas in `learnt_step.ts`), as ParetoQ (arXiv 2502.02631)
 * trains 3 and 4 bits. Maximum over the matrix, a row or a group. Not differentiated: round, clip, the scale and its
 * rounding. Half of the range of levels, 2^(b-1) - 1/2, makes max |W| of either sign the outermost level, so that all of
 * them occur (torchao's symmetric mapping; with 2^(b-1) - 1 an int2 would be ternary). The product is that of the values
 * W~ in float32.
 */
import { z } from "zod";
import { roundAndClip } from "../quant/round_half_even.ts";
import { granularityOf, quantizeSpans, scalePerKey } from "./granularity.ts";
import { lsqInitialStep, lsqSlope, quantizeByStep, stepGradients, stepParameter } from "./learnt_step.ts";
import { smallestScale } from "./ternary.ts";
import type { WeightQuantizer, WeightQuantizerDefinition } from "./weight_quantizer.ts";

const options = z.strictObject({
  scale_per: scalePerKey("row"),
  learnt: z.boolean().default(false).describe("Learn the scales (LSQ) instead of taking them from the largest weight."),
});

function largestMagnitude(latent: Float32Array, begin: number, count: number): number {
  let largest = 0;
  for (let i = begin; i < begin + count; i++) largest = Math.max(largest, Math.abs(latent[i]));
  return largest;
}

function integerQuantizer(bits: number): WeightQuantizerDefinition<typeof options> {
  const name = `int${bits}`;
  const range = { low: -(2 ** (bits - 1)), high: 2 ** (bits - 1) - 1 };
  const levels = Array.from({ length: 2 ** bits }, (_, i) => range.low + i);
  return {
    name,
    options,
    create: ({ scale_per, learnt }, scaleDtype) => {
      const scales = granularityOf(scale_per);
      const form = { name, levels, scales, scaleDtype, product: "values", fused: null } as const;
      const learning: WeightQuantizer = {
        ...form,
        parameters: (shape) => [stepParameter(scales, shape, lsqInitialStep(range))],
        quantize: (latent, shape, [steps]) => quantizeByStep(latent, shape, steps, scales, range, scaleDtype),
        backward: (dy, latent, shape, [steps]) => stepGradients(dy, latent, shape, steps, scales, lsqSlope(range)),
      };
      const measured: WeightQuantizer = {
        ...form,
        quantize: (latent, shape) =>
          quantizeSpans(scales, shape, scaleDtype, (begin, count, codes) => {
            const largest = largestMagnitude(latent, begin, count);
            const scale = Math.max(Math.fround(largest / (range.high + 0.5)), smallestScale);
            const inverse = Math.fround(1 / scale);
            for (let i = begin; i < begin + count; i++) {
              codes[i] = roundAndClip(Math.fround(latent[i] * inverse), range.low, range.high);
            }
            return scale;
          }),
      };
      return learnt ? learning : measured;
    },
  };
}

export const int2 = integerQuantizer(2);
export const int4 = integerQuantizer(4);
export const int8 = integerQuantizer(8);
