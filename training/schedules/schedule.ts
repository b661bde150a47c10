/**
 * Learning rate and weight decay of every step, as pure functions of the step number.
 *
 * Steps count from 1 to maxSteps. With u = (step - warmup) / (maxSteps - warmup), the fraction of the run after warm-up:
 *
 *     warm-up    lr = peak * step / warmup                                      step <= warmup
 *     constant   lr = peak
 *     linear     lr = peak * (min_ratio + (1 - min_ratio) * (1 - u))
 *     cosine     lr = peak * (min_ratio + (1 - min_ratio) * (1 + cos(pi u)) / 2)
 *     two_stage  lr = peak * decay(u)             while step <= stage2_start * maxSteps
 *                lr = stage2_peak * decay(u)      afterwards, with weight decay stage2_weight_decay
 *                decay(u) as in linear, or as in cosine (`decay: cosine`)
 *
 * two_stage is the recipe of "The Era of 1-bit LLMs: Training Tips, Code and FAQ" and of the 2B4T report
 * (arXiv 2504.12285): ternary weights want a high rate first, since a latent weight must travel to flip its code,
 * and a lower one without decay towards zero once the codes settle.
 */
import type { RunConfig } from "../config/run_config.ts";

export interface Schedule {
  type: "two_stage" | "cosine" | "linear" | "constant";
  /** Steps of linear warm-up from 0; 0 for none. */
  warmupSteps: number;
  /** Learning rate at the end of the run over the peak (all but constant). */
  minRatio: number;
  /** Fraction of the run after which stage 2 begins (two_stage). */
  stage2Start: number;
  /** Peak of the decay line that stage 2 follows (two_stage). */
  stage2LearningRate: number;
  /** Weight decay of stage 2 (two_stage). */
  stage2WeightDecay: number;
  /** Shape of the decay (two_stage). */
  decay: "linear" | "cosine";
}

/** Peak values, from the optimizer's section. */
export interface ScheduledValues {
  learningRate: number;
  weightDecay: number;
}

/** True once `step` belongs to stage 2 of a two-stage schedule. */
export function isStage2(schedule: Schedule, step: number, maxSteps: number): boolean {
  return schedule.type === "two_stage" && step > schedule.stage2Start * maxSteps;
}

function decayFactor(shape: "linear" | "cosine", minRatio: number, fraction: number): number {
  const falling = shape === "linear" ? 1 - fraction : (1 + Math.cos(Math.PI * fraction)) / 2;
  return minRatio + (1 - minRatio) * falling;
}

/**
 * Learning rate and weight decay that update number `step` (1 .. maxSteps) uses.
 * @param peak the optimizer's own learning rate and weight decay
 */
export function scheduledValues(
  schedule: Schedule,
  peak: ScheduledValues,
  step: number,
  maxSteps: number,
): ScheduledValues {
  const stage2 = isStage2(schedule, step, maxSteps);
  const top = stage2 ? schedule.stage2LearningRate : peak.learningRate;
  const weightDecay = stage2 ? schedule.stage2WeightDecay : peak.weightDecay;
  if (step <= schedule.warmupSteps) {
    return { learningRate: (top * step) / schedule.warmupSteps, weightDecay };
  }
  if (schedule.type === "constant") return { learningRate: top, weightDecay };
  const fraction = Math.min(1, (step - schedule.warmupSteps) / Math.max(1, maxSteps - schedule.warmupSteps));
  const shape = schedule.type === "two_stage" ? schedule.decay : schedule.type;
  return { learningRate: top * decayFactor(shape, schedule.minRatio, fraction), weightDecay };
}

/** The schedule of a configuration, with its defaults that depend on other keys. */
export function scheduleOf({ schedule, optimizer }: RunConfig): Schedule {
  return {
    type: schedule.type,
    warmupSteps: schedule.warmup_steps,
    minRatio: schedule.min_ratio,
    stage2Start: schedule.stage2_start,
    stage2LearningRate: schedule.stage2_learning_rate ?? (optimizer.learning_rate * 2) / 3,
    stage2WeightDecay: schedule.stage2_weight_decay,
    decay: schedule.decay,
  };
}
