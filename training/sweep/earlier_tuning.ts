/** Values of the tuned parameter that an earlier sweep found (`tune: {from: DIR}`). */

import { valueAt } from "../../src/config/schema_errors.ts";
import type { SweepPlan } from "./plan.ts";
import { SweepDirectory } from "./sweep_directory.ts";
import { SweepError } from "./sweep_error.ts";
import { type RunResult, readSweepResults } from "./sweep_results.ts";
import type { Tune } from "./sweep_schema.ts";
import { chooseTuned, meansByValue, type TunedValue } from "./tuned_value.ts";

/**
 * By arm. The earlier sweep tuned arms of these names, or has an arm for each value: then its arms are called as these, with
 * `,learning_rate=...` behind.
 * @throws {SweepError} if an arm is not there, or shares a seed with this sweep.
 */
export function earlierTuning(plan: SweepPlan, { from, parameter }: Tune): Map<string, TunedValue> {
  const { runs } = readSweepResults(new SweepDirectory(from!));
  const path = parameter.split(".");
  const suffix = `,${path.at(-1)}=`;
  return new Map(
    plan.arms.map(({ name }) => {
      const tuning = runs.filter(({ arm, stage }) => arm === name && stage === "tune");
      const own = tuning.length > 0 ? tuning : runs.filter(({ arm }) => arm === name || arm.startsWith(name + suffix));
      if (own.length === 0)
        throw new SweepError(`${from}: there is no run of the arm ${name} to take ${parameter} from`);
      const shared = own.find(({ seed }) => plan.seeds.includes(seed));
      if (shared)
        throw new SweepError(`${from}: ${shared.name} has a seed of this sweep: what it chooses is flattered`);
      return [name, chooseTuned(triedIn(own, path), plan.sweep.metric)];
    }),
  );
}

function triedIn(runs: readonly RunResult[], path: readonly string[]): TunedValue["tried"] {
  const tried = runs.map(({ config, value: metric, name, status }) => {
    const value = config === null ? undefined : valueAt(config, path);
    if (typeof value !== "number") throw new SweepError(`${name}: ${path.join(".")} is no number`);
    if (status === "open" || status === "running") throw new SweepError(`${name}: the run is not finished`);
    return { value, metric };
  });
  return meansByValue(tried);
}
