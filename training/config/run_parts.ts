/** The parts of a run that a configuration stands for. */
import type { CausalLM } from "../../src/model/causal_lm.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import { makeOptimizer, optimizedParameters } from "../optimizers/registry.ts";
import { makeSchedule } from "../schedules/registry.ts";
import type { Schedule } from "../schedules/schedule.ts";
import type { RunConfig } from "./run_config.ts";

/** The optimizer of `model`, with fresh state. */
export function optimizerOf({ optimizer, training }: RunConfig, model: CausalLM): Optimizer {
  return makeOptimizer(optimizer, optimizedParameters(model), training.max_grad_norm);
}

export function scheduleOf({ schedule, optimizer, training }: RunConfig): Schedule {
  const peak = { learningRate: optimizer.learning_rate, weightDecay: optimizer.weight_decay };
  return makeSchedule(schedule, peak, training.max_steps);
}
