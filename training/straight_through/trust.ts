/**
 * `trust`: no gradient where quantization moved a weight too far to trust it (trust estimator of QuEST, arXiv 2502.05003).
 *
 *     dw = dw~ where |Q(w) - w| <= T rms(w),     0 elsewhere
 *
 * rms(w) is over the weights of a scale. T is half a step of the grid that has the least error for normal weights, by
 * default that of three levels in the paper's code: 1.2240 / 2. Without the paper's Hadamard transform of the weights,
 * which their file would have to hold; activations pass gradients as they do.
 */
import { z } from "zod";
import { positive } from "../config/numbers.ts";
import { defineStraightThrough, masked } from "./straight_through.ts";

export const trust = defineStraightThrough({
  schema: z.strictObject({
    type: z.literal("trust").describe("No gradient where quantization moved a weight too far."),
    threshold: positive.default(0.612).describe("How far is too far, over the weights' root mean square."),
  }),
  apply({ threshold }, quantizer) {
    const { levels } = quantizer;
    const middle = levels.length >> 1;
    return masked(quantizer, ({ latent, codes, scale, mask }) => {
      let squares = 0;
      for (let i = 0; i < latent.length; i++) squares += latent[i] * latent[i];
      const limit = threshold * Math.sqrt(squares / latent.length);
      for (let i = 0; i < mask.length; i++) {
        mask[i] = Math.abs(levels[codes[i] + middle] * scale - latent[i]) <= limit ? 1 : 0;
      }
    });
  },
});
