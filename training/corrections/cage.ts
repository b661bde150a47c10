/**
 * `cage`: a decoupled pull towards the grid at the end of the run, as weight decay pulls towards 0 ("CAGE: Curvature-Aware
 * Gradient Estimation", arXiv 2510.18784).
 *
 *     w -= lr * l * (w - Q(w))                                       after each update
 *     l  = 0 for the `silence` fraction of the run, then strength * u, u rising from 0 to 1 at its end
 *
 * lr is the scheduled learning rate of the update. The paper's strength is 10, its silence 80% of the run; it was measured
 * at 4 bits, up to 800 M parameters.
 */
import { z } from "zod";
import { weightValues } from "../../src/quantizers/weight_quantizer.ts";
import { positive } from "../config/numbers.ts";
import { defineCorrection, needsQuantizer } from "./correction.ts";

export const cage = defineCorrection({
  schema: z.strictObject({
    type: z.literal("cage").describe("A pull towards the grid at the end of the run."),
    strength: positive.default(10).describe("Of the pull at the end, times the learning rate."),
    silence: z
      .number()
      .min(0)
      .lt(1)
      .default(0.8)
      .describe("Fraction of the run without a pull; then it rises linearly."),
  }),
  dependsOnLength: true,
  refusal: needsQuantizer,
  create: ({ strength, silence }, { quantizer, maxSteps }) => ({
    after(step, learningRate) {
      const rise = Math.min(1, (step / maxSteps - silence) / (1 - silence));
      if (rise <= 0) return null;
      const pull = learningRate * strength * rise;
      return ({ latent, shape, learnt }) => {
        const quantized = weightValues(quantizer, latent, shape, learnt);
        return latent.map((w, i) => w - pull * (w - quantized[i]));
      };
    },
  }),
});
