/**
 * `clipped`: no gradient where the clamp acts, so that a weight beyond the grid cannot wander further (the usual one for
 * binary networks, arXiv 1602.02830; for learnt steps, arXiv 1902.08153 and 2502.02631).
 *
 *     q = clip(round_half_even(w / s), lowest, highest)
 *     dw = dw~ where lowest - half a step < w / s < highest + half a step,     0 elsewhere
 *
 * For ternary weights |w| < 1.5 s: what autograd makes of round, then clamp. With the mean magnitude as s, 23% of normal
 * weights have no gradient; weight decay alone brings them back.
 */
import { z } from "zod";
import { defineStraightThrough, masked } from "./straight_through.ts";

export const clipped = defineStraightThrough({
  schema: z.strictObject({ type: z.literal("clipped").describe("No gradient where the clamp acts.") }),
  apply(_options, quantizer) {
    const { levels } = quantizer;
    const halfStep = (levels[1] - levels[0]) / 2;
    const [low, high] = [levels[0] - halfStep, levels[levels.length - 1] + halfStep];
    return masked(quantizer, ({ latent, scale, mask }) => {
      for (let i = 0; i < mask.length; i++) {
        const z = latent[i] / scale;
        mask[i] = low < z && z < high ? 1 : 0;
      }
    });
  },
});
