/** What a checkpoint of a run, and the run around it, tell of the model: for the files that are made of it. */
import { existsSync } from "node:fs";
import path from "node:path";
import type { RunConfig } from "./config/run_config.ts";
import type { MetricsRow } from "./metrics.ts";
import { RunDirectory, readRows } from "./run_directory.ts";
import { readTrainerState } from "./training_checkpoint.ts";

export interface RunFacts {
  /** Updates made. */
  steps: number;
  /** The metrics row of that step, where the run is still around the checkpoint and has one. */
  metrics?: MetricsRow;
  /** The newest validation up to there. */
  validation?: MetricsRow;
  /** The version of this package that the run was last started with. */
  version?: string;
  /** Section `about`: of the run's config.yaml as it stands, else of the checkpoint. */
  about: Partial<RunConfig["about"]>;
}

/** @returns null for a checkpoint that is none of a run. @throws {TrainingCheckpointError} if it is damaged. */
export function runFacts(checkpoint: string): RunFacts | null {
  if (!existsSync(path.join(checkpoint, "trainer.json"))) return null;
  const { step, config } = readTrainerState(checkpoint);
  const run = new RunDirectory(path.resolve(checkpoint, "../.."));
  const rows = readRows<MetricsRow>(run.metricsFile).filter((row) => row.step <= step);
  const version = run.readEnvironment()?.bitnet_lab;
  return {
    steps: step,
    metrics: rows.findLast((row) => row.step === step),
    validation: rows.findLast((row) => row.val_loss !== undefined),
    version: typeof version === "string" ? version : undefined,
    about: run.readConfig()?.about ?? config.about ?? {},
  };
}
