/** Seconds of an update of an arm, measured: for budgets of equal time, and for what a sweep will take. */
import type { Compute } from "../../src/ops/compute.ts";
import type { RunConfig } from "../config/run_config.ts";
import { trainerOptionsOf } from "../config/run_parts.ts";
import { stepOperations } from "../config/step_operations.ts";
import { timeSteps } from "../dry_run.ts";
import type { PreparedData } from "./prepared_data.ts";

/**
 * On `compute`, with its threads. Nothing of the run is kept.
 * @param steps timed after a first one
 */
export async function stepSeconds(
  config: RunConfig,
  data: PreparedData,
  compute: Compute,
  steps: number,
): Promise<number> {
  const { dataset, ...inputs } = await data.open(config);
  compute.fitThreads?.(stepOperations(config));
  const options = trainerOptionsOf(inputs.config, { ...inputs, dataset, compute });
  try {
    return await timeSteps(options, steps);
  } finally {
    options.model.dispose();
    options.optimizer.dispose();
    await dataset.close();
  }
}
