/**
 * Learning rate and weight decay of every step, as pure functions of the step number. A run may be resumed with another
 * length or another schedule as long as the steps that it has made would have had the same values.
 */
import type { z } from "zod";
import { countOrZero, fraction } from "../config/numbers.ts";

/** What an update uses. */
export interface ScheduledValues {
  learningRate: number;
  weightDecay: number;
}

/** A step's values, and in which part of the schedule it is. */
export interface ScheduleStep extends ScheduledValues {
  phase: "warmup" | "stable" | "decay" | "stage1" | "stage2";
}

export interface Schedule {
  /** Of update number `step`, from 1. Beyond the planned length the values of the end stay. */
  values(step: number): ScheduleStep;
}

/** What the file of a schedule exports. */
export interface ScheduleDefinition<Schema extends z.ZodObject = z.ZodObject> {
  /** The keys of section `schedule` for this `type`. */
  schema: Schema;
  /**
   * @param peak the optimizer's own learning rate and weight decay
   * @param maxSteps length of the run
   */
  create(options: z.output<Schema>, peak: ScheduledValues, maxSteps: number): Schedule;
}

/** Lets TypeScript derive the options' type from the schema. */
export function defineSchedule<Schema extends z.ZodObject>(
  definition: ScheduleDefinition<Schema>,
): ScheduleDefinition<Schema> {
  return definition;
}

/** Keys that several schedules have. */
export const warmupKey = {
  warmup_steps: countOrZero.default(0).describe("Steps in which the learning rate rises linearly from 0; 0 for none."),
};
export const minRatioKey = {
  min_ratio: fraction.default(0).describe("Learning rate at the last step over the peak."),
};

export const weightDecayUntilKey = {
  weight_decay_until: fraction
    .default(1)
    .describe("Fraction of the run after which there is no weight decay; 1 for all of it."),
};

/**
 * `schedule` with weight decay 0 after that fraction of the run. The Training Tips of BitNet b1.58 end decay at 1/2, TriLM
 * (arXiv 2407.12327) at 2/3: decay keeps latent weights near the thresholds, where codes go on flipping.
 */
export function withDecayUntil(schedule: Schedule, until: number, maxSteps: number): Schedule {
  if (until === 1) return schedule;
  return {
    values: (step) => {
      const values = schedule.values(step);
      return step > until * maxSteps ? { ...values, weightDecay: 0 } : values;
    },
  };
}

/** How a rate falls: what is left of the peak above the floor, at `fraction` of the way. */
export const decayShapes = {
  linear: (fraction: number) => 1 - fraction,
  cosine: (fraction: number) => (1 + Math.cos(Math.PI * fraction)) / 2,
  /** 1 - sqrt, of Haegele et al., arXiv 2405.18392. */
  sqrt: (fraction: number) => 1 - Math.sqrt(fraction),
};

export type DecayShape = keyof typeof decayShapes;

/** Rate over peak at `fraction` of a decay that ends in `minRatio`. */
export function decayFactor(shape: DecayShape, minRatio: number, fraction: number): number {
  return minRatio + (1 - minRatio) * decayShapes[shape](fraction);
}

/** Linear warm-up: reaches `top` at its last step. */
export function warmUp(top: number, step: number, warmupSteps: number): number {
  return (top * step) / warmupSteps;
}

/** Fraction of the run after warm-up that is over at `step`. */
export function fractionAfterWarmup(step: number, warmupSteps: number, maxSteps: number): number {
  return Math.min(1, (step - warmupSteps) / Math.max(1, maxSteps - warmupSteps));
}

/** The first of the updates 1 to `steps` that the schedules give other values; null if they agree in all. */
export function firstDifference(steps: number, a: Schedule, b: Schedule): number | null {
  for (let step = 1; step <= steps; step++) {
    const [one, other] = [a.values(step), b.values(step)];
    if (one.learningRate !== other.learningRate || one.weightDecay !== other.weightDecay) return step;
  }
  return null;
}

/** True if both schedules give the updates 1 to `steps` the same values. */
export function agreeUpTo(steps: number, a: Schedule, b: Schedule): boolean {
  return firstDifference(steps, a, b) === null;
}
