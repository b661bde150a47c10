/** How long each arm trains, so that no arm wins by training longer. */
import type { RunConfig } from "../config/run_config.ts";
import { SweepError } from "./sweep_error.ts";
import type { SweepFile } from "./sweep_schema.ts";

/** Seconds of an update, by the names of arms; {@link baseTime} is that of the recipe. Measured once, then stored. */
export type StepTimes = Readonly<Record<string, number>>;

/** Name of the recipe itself among {@link StepTimes}: no arm has it. */
export const baseTime = "(base)";

export function tokensPerStep({ training }: RunConfig): number {
  return training.batch_size * training.gradient_accumulation_steps * training.sequence_length;
}

export function trainingTokens(config: RunConfig): number {
  return config.training.max_steps * tokensPerStep(config);
}

function withSteps(config: RunConfig, steps: number): RunConfig {
  return { ...config, training: { ...config.training, max_steps: steps } };
}

function withEqualTokens(config: RunConfig, base: RunConfig, arm: string, setsSteps: boolean): RunConfig {
  const tokens = trainingTokens(base);
  if (setsSteps && trainingTokens(config) !== tokens) {
    throw new SweepError(
      `arm ${arm}: training.max_steps makes ${trainingTokens(config)} tokens, the recipe ${tokens}; ` +
        "budget: {equal: none} lets arms train on different numbers of tokens",
    );
  }
  const steps = tokens / tokensPerStep(config);
  if (Number.isInteger(steps)) return withSteps(config, steps);
  throw new SweepError(
    `arm ${arm}: the ${tokens} tokens of the recipe are ${steps.toFixed(2)} of its updates of ${tokensPerStep(config)}; ` +
      "choose sizes that divide, or budget: {equal: none}",
  );
}

/**
 * `config` with the updates that the budget grants.
 * @param base the recipe without an arm
 * @param setsSteps the arm says how many updates it makes
 * @throws {SweepError} if the arm cannot have the recipe's tokens
 */
export function withBudget(
  config: RunConfig,
  base: RunConfig,
  { budget }: SweepFile,
  arm: { name: string; setsSteps: boolean },
  times: StepTimes,
): RunConfig {
  switch (budget.equal) {
    case "none":
      return config;
    case "tokens":
      return withEqualTokens(config, base, arm.name, arm.setsSteps);
    case "time": {
      if (arm.setsSteps) throw new SweepError(`arm ${arm.name}: training.max_steps follows from budget: {equal: time}`);
      const seconds = budget.seconds ?? base.training.max_steps * times[baseTime];
      return withSteps(config, Math.max(1, Math.floor(seconds / times[arm.name])));
    }
  }
}
