/**
 * What was changed in a run on its way, and at which step: `changes.jsonl` of its folder, and comments at the end of its
 * config.yaml, which always is what the run goes on with.
 */
import { type ConfigChange, configChanges } from "./config/differing_keys.ts";
import { formatRunConfig } from "./config/load_run_config.ts";
import type { RunConfig } from "./config/run_config.ts";

/** A key that had `before` up to the update `step`, and has `now` after it. */
export interface RunChange extends ConfigChange {
  step: number;
  /** ISO date. */
  changed: string;
}

/** The changes between two starts of a run, the second after `step` updates. */
export function runChanges(before: RunConfig, now: RunConfig, step: number, date = new Date()): RunChange[] {
  const isChange = ({ key, before: old, now: current }: ConfigChange) => {
    // Runs of before the key have had what it is resolved to.
    if (key === "training.backward_precision") return old !== "auto";
    // One source may be written as a list or alone.
    return key !== "data.sources" || String(old) !== String(current);
  };
  return configChanges(before, now)
    .filter(isChange)
    .map((change) => ({ step, changed: date.toISOString(), ...change }));
}

/** config.yaml: the configuration, and as comments what it was before. */
export function formatChangedConfig(config: RunConfig, changes: readonly RunChange[]): string {
  const text = (value: unknown) => JSON.stringify(value) ?? "unset";
  const lines = changes.map(
    ({ step, changed, key, before, now }) =>
      `#   after step ${step} (${changed.slice(0, 10)}): ${key} ${text(before)} -> ${text(now)}\n`,
  );
  return formatRunConfig(config) + (lines.length === 0 ? "" : `\n# Changed on the way:\n${lines.join("")}`);
}
