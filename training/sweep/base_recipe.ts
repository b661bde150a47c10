/** The recipe that the arms of a sweep change, and the configuration of a run: the recipe, the arm's keys, a seed. */
import { parse, stringify } from "yaml";
import { readTextFile } from "../../src/files/text_file.ts";
import { parseRunConfig, resolveConfigPath } from "../config/load_run_config.ts";
import { applyOverrides, type Override } from "../config/overrides.ts";
import type { RunConfig } from "../config/run_config.ts";
import { RunConfigError } from "../config/run_config_error.ts";
import type { Arm, Assignment } from "./arm_names.ts";
import { SweepError } from "./sweep_error.ts";

export interface BaseRecipe {
  /** YAML. */
  text: string;
  /** Its name in messages. */
  file: string;
  /** Of the command line, for every arm. */
  overrides: readonly Override[];
}

/** @param nameOrPath a file or a shipped recipe */
export function readBase(nameOrPath: string, overrides: readonly Override[]): BaseRecipe {
  const file = resolveConfigPath(nameOrPath);
  return { text: readTextFile(file), file, overrides };
}

/** That of a sweep that goes on. @param root as {@link baseRoot} gave it */
export function storedBase(root: Record<string, unknown>, file: string, overrides: readonly Override[]): BaseRecipe {
  return { text: stringify(root), file, overrides };
}

/** The recipe as it is written down in the folder of the sweep: with the command line's keys, without defaults. */
export function baseRoot({ text, overrides }: BaseRecipe): Record<string, unknown> {
  const root = parse(text) as Record<string, unknown>;
  applyOverrides(root, overrides);
  return root;
}

/** What `seeds` gives to the runs of every arm. */
export const seedKey = "training.seed";

function overrideOf({ key, value }: Assignment, origin: string): Override {
  const path = key.split(".");
  if (path.length < 2 || path.includes("")) {
    throw new SweepError(
      `${origin}: ${key} is no key of a recipe: expected section.key, as in optimizer.learning_rate`,
    );
  }
  if (key === seedKey) {
    throw new SweepError(
      `${origin}: ${key} makes no arms: name the seeds as seeds: [1, 2, 3], and arms are paired by them`,
    );
  }
  return { path, value, origin };
}

/**
 * The configuration of an arm; of the recipe itself without one.
 * @throws {RunConfigError | SweepError} naming the arm
 */
export function armConfig(base: BaseRecipe, arm?: Arm, seed?: number): RunConfig {
  const origin = `arm ${arm?.name}`;
  const changes = (arm?.assignments ?? []).map((each) => overrideOf(each, origin));
  if (seed !== undefined) changes.push({ path: seedKey.split("."), value: seed, origin: "seeds" });
  try {
    return parseRunConfig(base.text, base.file, [...base.overrides, ...changes]);
  } catch (error) {
    if (!(error instanceof RunConfigError) || arm === undefined || error.message.includes(origin)) throw error;
    throw new SweepError(`${origin}: ${error.message}`);
  }
}
