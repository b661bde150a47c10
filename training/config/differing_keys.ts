/** How two configurations differ. */
import type { RunConfig } from "./run_config.ts";

/** Values by key path: `model.weight_quantizer.type`. */
function* leaves(value: unknown, path: string): Generator<[path: string, value: unknown]> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    yield [path, value];
    return;
  }
  for (const [key, inner] of Object.entries(value)) yield* leaves(inner, path === "" ? key : `${path}.${key}`);
}

/**
 * Key paths whose values differ, as `training.seed (0, now 1)`.
 * @param ignored key paths that may differ; a section's name stands for all its keys
 */
export function differingKeys(before: RunConfig, now: RunConfig, ignored: ReadonlySet<string>): string[] {
  const [old, current] = [before, now].map((config) => new Map(leaves(config, "")));
  const differences: string[] = [];
  for (const path of new Set([...old.keys(), ...current.keys()])) {
    const [a, b] = [JSON.stringify(old.get(path)), JSON.stringify(current.get(path))];
    if (a === b || ignored.has(path) || ignored.has(path.split(".")[0])) continue;
    differences.push(`${path} (${a ?? "unset"}, now ${b ?? "unset"})`);
  }
  return differences;
}
