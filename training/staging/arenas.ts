/**
 * `arenas`: the latent weights as a second path beside the quantized ones, which fades away (Arenas, "annealing residual
 * synapse", of Sherry, arXiv 2601.07892). It was made for 3:4 sparse ternary weights, whose gradients are alike.
 *
 *     y = x Q(W)^T + l x W^T
 *     l = peak * step / warm-up steps                      in the warm-up
 *         peak * (1 + cos(pi u)) / 2                       u from 0 at its end to 1 at the run's
 *     backward    dW = what Q makes of dW~, plus l dW~
 *
 * The two paths are one product with the weights Q(W) + l W; the activations are quantized for both.
 */
import { z } from "zod";
import { positive } from "../config/numbers.ts";
import { decayShapes } from "../schedules/schedule.ts";
import { mixture } from "./staged_weights.ts";
import { defineStaging, needsWeightQuantizer, stageSteps } from "./staging.ts";

export const arenas = defineStaging({
  schema: z.strictObject({
    type: z.literal("arenas").describe("The latent weights as a second path that fades away: y = Q(W) x + l W x."),
    warmup_fraction: z.number().min(0).lt(1).default(0.1).describe("Of the run in which l rises; then it falls to 0."),
    peak: positive.default(1).describe("Largest l."),
  }),
  dependsOnLength: true,
  refusal: needsWeightQuantizer,
  create({ warmup_fraction, peak }, { final, maxSteps }) {
    const warmup = stageSteps(warmup_fraction, maxSteps);
    return {
      at(step) {
        if (step >= maxSteps || final.weights === null) return { name: "final", quantization: final };
        const rises = step <= warmup;
        const l = peak * (rises ? step / warmup : decayShapes.cosine((step - warmup) / (maxSteps - warmup)));
        return { name: "arenas", value: l, quantization: { ...final, weights: mixture(final.weights, 1, l) } };
      },
    };
  },
});
