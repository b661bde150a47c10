/**
 * A tracker: where the numbers of a run go besides its folder, in the shape of W&B and trackio. Everything a tracker
 * throws or rejects with is told in one line and ends it, never the run.
 */
import type { RunConfig } from "../config/run_config.ts";
import type { Histogram } from "../telemetry/histogram.ts";
import type { TrainingEnd } from "../trainer.ts";

/** What a tracker is told at the start of a run, or of its continuation. */
export interface TrackedRun {
  /** Name of the run's folder, and of the folder that this lies in. */
  name: string;
  project: string;
  /** Full path of the run's folder. */
  directory: string;
  /** The resolved recipe, its sections as they are. */
  config: RunConfig;
  /** Updates made before: 0 for a new run. A run that goes on logs the steps after it, some perhaps a second time. */
  step: number;
}

/**
 * By name: keys of metrics.jsonl (`loss`, `val_loss` ...), `KEY/TENSOR` for those of telemetry.jsonl
 * (`zero_fraction/model.layers.0.mlp.down_proj`, `weights/...` with a histogram), and `sample`, a text.
 */
export type TrackedValues = Record<string, number | string | Histogram>;

export interface Tracker {
  /** As lines about it call it; default `tracker`. */
  name?: string;
  init?(run: TrackedRun): unknown;
  /** Called in the order of the steps, and only when what was called before has been settled. */
  log(values: TrackedValues, at: { step: number }): unknown;
  /** `failed` if training ended with an error. */
  finish?(end: { state: TrainingEnd | "failed" }): unknown;
}
