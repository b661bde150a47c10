/**
 * `winq`: every so many steps the latent weights are moved part of the way to the quantized ones, away from the flat
 * surroundings of saddle points ("WinQ", arXiv 2605.17471, and the code of facebookresearch/WinQ).
 *
 *     w = (1 - b) w + b Q(w)                                         after every `every`-th update
 *     g = gradient at w + noise * n,  n standard normal              with `noise` above 0; the update is that of w
 *
 * The code, which tunes float models, moves every 200 steps and adds noise of 0.001. The noise is keyed by seed, step,
 * parameter and element.
 */
import { z } from "zod";
import { weightValues } from "../../src/quantizers/weight_quantizer.ts";
import { CounterRng } from "../../src/random/counter_rng.ts";
import { count, nonnegative } from "../config/numbers.ts";
import { defineCorrection, needsQuantizer } from "./correction.ts";

export const winq = defineCorrection({
  schema: z.strictObject({
    type: z.literal("winq").describe("Every so many steps, part of the way to the quantized weights."),
    every: count.default(200).describe("Steps from one pull to the next."),
    pull: z.number().gt(0).max(1).default(0.1).describe("Part of the way: 1 is the quantized weights."),
    noise: nonnegative.default(0).describe("Standard deviation of noise on the weights that gradients are taken at."),
  }),
  dependsOnLength: false,
  refusal: needsQuantizer,
  create: ({ every, pull, noise }, { quantizer, seed }) => ({
    noise:
      noise > 0
        ? (step, name, size) => {
            const rng = new CounterRng(seed, `noise ${step} ${name}`);
            return Float32Array.from({ length: size }, () => noise * rng.normal());
          }
        : undefined,
    after(step) {
      if (step % every !== 0) return null;
      return ({ latent, shape, learnt }) => {
        const quantized = weightValues(quantizer, latent, shape, learnt);
        return latent.map((w, i) => w + pull * (quantized[i] - w));
      };
    },
  }),
});
