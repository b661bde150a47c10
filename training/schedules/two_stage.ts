/**
 * Two stages with a drop between them:
 *
 *     lr = peak * decay(u)             while step <= stage2_start * maxSteps
 *     lr = stage2_peak * decay(u)      afterwards, with weight decay stage2_weight_decay
 *     decay(u) = min_ratio + (1 - min_ratio) * (1 - u), or (1 + cos(pi u)) / 2 in place of 1 - u (`decay: cosine`)
 *     u = (step - warmup) / (maxSteps - warmup)
 *
 * The recipe of "The Era of 1-bit LLMs: Training Tips, Code and FAQ" and of the 2B4T report (arXiv 2504.12285): ternary
 * weights want a high rate first, since a latent weight must travel to flip its code, and a lower one without decay
 * towards zero once the codes settle.
 */
import { z } from "zod";
import { fraction, nonnegative, positive } from "../config/numbers.ts";
import {
  decayFactor,
  defineSchedule,
  fractionAfterWarmup,
  minRatioKey,
  warmUp,
  warmupKey,
  weightDecayUntilKey,
} from "./schedule.ts";

export const twoStage = defineSchedule({
  schema: z.strictObject({
    type: z.literal("two_stage").describe("The recipe of BitNet b1.58: a lower rate and no weight decay in stage 2."),
    ...warmupKey,
    ...minRatioKey,
    ...weightDecayUntilKey,
    stage2_start: fraction.default(0.5).describe("Fraction of the run where the second stage begins."),
    stage2_learning_rate: positive
      .optional()
      .describe("Peak of the second stage; by default 2/3 of `optimizer.learning_rate`."),
    stage2_weight_decay: nonnegative.default(0).describe("Weight decay of the second stage."),
    decay: z.enum(["linear", "cosine"]).default("linear").describe("Shape of both stages' decay."),
  }),
  create(options, peak, maxSteps) {
    const { warmup_steps, min_ratio, decay } = options;
    const stage1 = { top: peak.learningRate, weightDecay: peak.weightDecay, phase: "stage1" as const };
    const stage2 = {
      top: options.stage2_learning_rate ?? (peak.learningRate * 2) / 3,
      weightDecay: options.stage2_weight_decay,
      phase: "stage2" as const,
    };
    return {
      values(step) {
        const { top, weightDecay, phase } = step > options.stage2_start * maxSteps ? stage2 : stage1;
        if (step <= warmup_steps) {
          return { learningRate: warmUp(top, step, warmup_steps), weightDecay, phase: "warmup" };
        }
        const factor = decayFactor(decay, min_ratio, fractionAfterWarmup(step, warmup_steps, maxSteps));
        return { learningRate: top * factor, weightDecay, phase };
      },
    };
  },
});
