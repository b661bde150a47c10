/** How two configurations differ. */
import type { RunConfig } from "./run_config.ts";

/** A key path and its two values; undefined where it is not set. */
export interface ConfigChange {
  key: string;
  before: unknown;
  now: unknown;
}

/** Values by key path: `model.weight_quantizer.type`. */
function* leaves(value: unknown, path: string): Generator<[path: string, value: unknown]> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    yield [path, value];
    return;
  }
  for (const [key, inner] of Object.entries(value)) yield* leaves(inner, path === "" ? key : `${path}.${key}`);
}

/** Key paths whose values differ. */
export function configChanges(before: RunConfig, now: RunConfig): ConfigChange[] {
  const [old, current] = [before, now].map((config) => new Map(leaves(config, "")));
  return [...new Set([...old.keys(), ...current.keys()])]
    .map((key) => ({ key, before: old.get(key), now: current.get(key) }))
    .filter((change) => JSON.stringify(change.before) !== JSON.stringify(change.now));
}

/**
 * Key paths whose values differ, as `training.seed (0, now 1)`.
 * @param ignored key paths that may differ; a section's name stands for all its keys
 */
export function differingKeys(before: RunConfig, now: RunConfig, ignored: ReadonlySet<string>): string[] {
  const text = (value: unknown) => JSON.stringify(value) ?? "unset";
  return configChanges(before, now)
    .filter(({ key }) => !ignored.has(key) && !ignored.has(key.split(".")[0]))
    .map((change) => `${change.key} (${text(change.before)}, now ${text(change.now)})`);
}
