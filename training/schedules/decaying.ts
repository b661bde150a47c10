/**
 * One decay over the whole run, as a line or as half a cosine, and none. With u = (step - warmup) / (maxSteps - warmup),
 * the fraction of the run after warm-up:
 *
 *     warm-up    lr = peak * step / warmup                                      step <= warmup
 *     linear     lr = peak * (min_ratio + (1 - min_ratio) * (1 - u))
 *     cosine     lr = peak * (min_ratio + (1 - min_ratio) * (1 + cos(pi u)) / 2)
 *     constant   lr = peak
 */
import { z } from "zod";
import {
  type DecayShape,
  decayFactor,
  defineSchedule,
  fractionAfterWarmup,
  minRatioKey,
  type Schedule,
  type ScheduledValues,
  warmUp,
  warmupKey,
  weightDecayUntilKey,
} from "./schedule.ts";

interface DecayOptions {
  warmup_steps: number;
  min_ratio: number;
}

function decaying(
  shape: DecayShape,
  { warmup_steps, min_ratio }: DecayOptions,
  { learningRate: top, weightDecay }: ScheduledValues,
  maxSteps: number,
): Schedule {
  return {
    values(step) {
      if (step <= warmup_steps) {
        return { learningRate: warmUp(top, step, warmup_steps), weightDecay, phase: "warmup" };
      }
      const factor = decayFactor(shape, min_ratio, fractionAfterWarmup(step, warmup_steps, maxSteps));
      return { learningRate: top * factor, weightDecay, phase: "decay" };
    },
  };
}

export const linear = defineSchedule({
  schema: z.strictObject({
    type: z.literal("linear").describe("A straight line from the peak to the end."),
    ...warmupKey,
    ...minRatioKey,
    ...weightDecayUntilKey,
  }),
  create: (options, peak, maxSteps) => decaying("linear", options, peak, maxSteps),
});

export const cosine = defineSchedule({
  schema: z.strictObject({
    type: z.literal("cosine").describe("Half a cosine from the peak to the end."),
    ...warmupKey,
    ...minRatioKey,
    ...weightDecayUntilKey,
  }),
  create: (options, peak, maxSteps) => decaying("cosine", options, peak, maxSteps),
});

export const constant = defineSchedule({
  schema: z.strictObject({
    type: z.literal("constant").describe("The peak, after warm-up."),
    ...warmupKey,
    ...weightDecayUntilKey,
  }),
  create: ({ warmup_steps }, { learningRate: top, weightDecay }) => ({
    values: (step) =>
      step <= warmup_steps
        ? { learningRate: warmUp(top, step, warmup_steps), weightDecay, phase: "warmup" }
        : { learningRate: top, weightDecay, phase: "stable" },
  }),
});
