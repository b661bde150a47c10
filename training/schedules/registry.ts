/** The schedules by `schedule.type`. A new one is a file beside this one and a word in the list. */
import type { z } from "zod";
import { definitionOf, typedUnion } from "../config/typed_union.ts";
import { constant, cosine, linear } from "./decaying.ts";
import { type Schedule, type ScheduleDefinition, type ScheduledValues, withDecayUntil } from "./schedule.ts";
import { twoStage } from "./two_stage.ts";
import { wsd } from "./wsd.ts";

export const schedules = [twoStage, wsd, cosine, linear, constant] as const;

/** Section `schedule`: the keys of one of the schedules. */
export const scheduleSchema = typedUnion("two_stage", schedules);

export type ScheduleOptions = z.output<typeof scheduleSchema>;

/**
 * The schedule that a configuration asks for.
 * @param peak the optimizer's own learning rate and weight decay
 * @param maxSteps length of the run
 */
export function makeSchedule(options: ScheduleOptions, peak: ScheduledValues, maxSteps: number): Schedule {
  const { create } = definitionOf(schedules, options.type) as ScheduleDefinition;
  return withDecayUntil(create(options, peak, maxSteps), options.weight_decay_until, maxSteps);
}
