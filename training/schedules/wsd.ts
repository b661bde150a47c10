/**
 * Warm-up, stable, decay (MiniCPM, arXiv 2404.06395): the peak for most of the run, and a short decay at its end. While
 * it is stable the rate does not look at the end, so a run can be made longer, or brought to its decay early, by
 * resuming it with another `training.max_steps`.
 *
 *     warm-up    lr = peak * step / warmup                                      step <= warmup
 *     stable     lr = peak                                                      step <= maxSteps - decaySteps
 *     decay      lr = peak * (min_ratio + (1 - min_ratio) * f(u)),  u = (step - (maxSteps - decaySteps)) / decaySteps
 *                f(u) = 1 - sqrt(u), 1 - u or (1 + cos(pi u)) / 2
 *
 * The square root falls fast first and is the best of the shapes that Haegele et al. compare (arXiv 2405.18392), who
 * find a fifth of the run enough for the decay.
 */
import { z } from "zod";
import { count, fraction } from "../config/numbers.ts";
import {
  type DecayShape,
  decayFactor,
  defineSchedule,
  minRatioKey,
  warmUp,
  warmupKey,
  weightDecayUntilKey,
} from "./schedule.ts";

const shapes = ["sqrt", "linear", "cosine"] as const satisfies readonly DecayShape[];

export const wsd = defineSchedule({
  schema: z.strictObject({
    type: z.literal("wsd").describe("Warm-up, stable, decay: a run can be made longer while it is stable."),
    ...warmupKey,
    ...minRatioKey,
    ...weightDecayUntilKey,
    decay_fraction: fraction.default(0.2).describe("Length of the decay as a fraction of the run."),
    decay_steps: count.optional().describe("Length of the decay in steps, instead of `decay_fraction`."),
    decay: z.enum(shapes).default("sqrt").describe("Shape of the decay; `sqrt` is 1 - sqrt(u)."),
  }),
  create({ warmup_steps, min_ratio, decay_fraction, decay_steps, decay }, peak, maxSteps) {
    const { learningRate: top, weightDecay } = peak;
    const decaySteps = decay_steps ?? Math.round(decay_fraction * maxSteps);
    const decayStart = maxSteps - decaySteps;
    return {
      values(step) {
        if (step <= warmup_steps) {
          return { learningRate: warmUp(top, step, warmup_steps), weightDecay, phase: "warmup" };
        }
        if (step <= decayStart) return { learningRate: top, weightDecay, phase: "stable" };
        const over = Math.min(1, (step - decayStart) / Math.max(1, decaySteps));
        return { learningRate: top * decayFactor(decay, min_ratio, over), weightDecay, phase: "decay" };
      },
    };
  },
});
