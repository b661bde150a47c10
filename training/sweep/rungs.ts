/**
 * Successive halving in synchronous rungs (Jamieson and Talwalkar 2016, arXiv:1502.07943): all arms train up to a rung, the
 * best 1 / eta of them go on to the next. Every run keeps the schedule of its whole length: at a rung it pauses, and a
 * survivor goes on to the bits that it would have had. What happens is a function of metrics.jsonl alone.
 */
import type { RunConfig } from "../config/run_config.ts";
import { SweepError } from "./sweep_error.ts";
import type { EarlyTerminate } from "./sweep_schema.ts";

/**
 * Steps of an arm's rungs, before its last step. Rungs are shares of the run, so arms with other batches meet at the same
 * number of tokens; each is a step that validates.
 * @throws {SweepError} if there is none
 */
export function rungSteps(config: RunConfig, base: RunConfig, { min_iter, eta }: EarlyTerminate): number[] {
  const { max_steps: length, eval_every: every } = config.training;
  if (every === 0) throw new SweepError("early_terminate needs training.eval_every: arms are compared by validations");
  if (min_iter >= base.training.max_steps) {
    throw new SweepError(
      `early_terminate: min_iter ${min_iter} is not below the ${base.training.max_steps} steps of a run`,
    );
  }
  const steps: number[] = [];
  for (let rung = min_iter; rung < base.training.max_steps; rung *= eta) {
    steps.push(Math.min(length, Math.ceil((rung / base.training.max_steps) * (length / every) - 1e-9) * every));
  }
  return steps;
}

/** How many of `arms` go on. */
export function survivorCount(arms: number, eta: number): number {
  return Math.max(1, Math.ceil(arms / eta));
}
