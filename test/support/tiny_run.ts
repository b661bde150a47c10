/** Runs of the recipe tiny.yaml on the generated world, in a temporary folder. */

import { readFileSync } from "node:fs";
import path from "node:path";
import { expect } from "vitest";
import { selectBackend } from "../../native/backend/select_backend.ts";
import type { Compute } from "../../src/ops/compute.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { loadRunConfig, resolveConfigPath } from "../../training/config/load_run_config.ts";
import { parseOverride } from "../../training/config/overrides.ts";
import { type StartableConfig, withBackwardPrecision } from "../../training/config/resolve_backward_precision.ts";
import type { PreparedDataset } from "../../training/data/prepared_dataset.ts";
import type { MetricsRow } from "../../training/metrics.ts";
import { makeTokenizer, openDataset, resolveSources, withVocabulary } from "../../training/run_data.ts";
import { RunDirectory, readRows } from "../../training/run_directory.ts";
import { latestCheckpoint } from "../../training/training_checkpoint.ts";
import { type RunListener, TrainingRun } from "../../training/training_run.ts";
import { hasNative } from "./tfjs_backends.ts";

export interface TinyRun {
  config: StartableConfig;
  tokenizer: Tokenizer;
  dataset: PreparedDataset;
  compute: Compute;
}

/** Prepares a run; `folder` takes the token cache. Runs on the native backend where there is one. */
export async function prepareTinyRun(folder: string, sets: readonly string[] = []): Promise<TinyRun> {
  const overrides = [`data.cache_directory=${JSON.stringify(path.join(folder, "cache"))}`, ...sets].map(parseOverride);
  const compute = await selectBackend(hasNative ? "native" : "wasm");
  const { config } = withBackwardPrecision(loadRunConfig(resolveConfigPath("tiny.yaml"), overrides), compute);
  const sources = resolveSources(config);
  const tokenizer = await makeTokenizer(config, sources);
  const dataset = await openDataset(config, sources, tokenizer);
  return { config: withVocabulary(config, tokenizer), tokenizer, dataset, compute };
}

/** A trainer in `directory`, at its newest checkpoint if there is one. */
export async function openTrainer(run: TinyRun, directory: string): Promise<TrainingRun> {
  const runDirectory = new RunDirectory(directory);
  runDirectory.create();
  const trainer = new TrainingRun({ ...run, directory: runDirectory });
  await trainer.resume();
  return trainer;
}

/**
 * Trains in `directory` from its newest checkpoint on, and stops as Ctrl-C does after step `stopAt`.
 * @returns updates that the run has made
 */
export async function trainUntil(
  run: TinyRun,
  directory: string,
  stopAt = Number.POSITIVE_INFINITY,
  listener: RunListener = {},
): Promise<number> {
  const controller = new AbortController();
  const trainer = await openTrainer(run, directory);
  const onStep = (step: number) => {
    if (step === stopAt) controller.abort();
  };
  await trainer.run({ listener: { ...listener, onStep }, signal: controller.signal });
  trainer.dispose();
  return trainer.step;
}

export function metricsOf(directory: string): MetricsRow[] {
  return readRows<MetricsRow>(new RunDirectory(directory).metricsFile);
}

/** What must be the same in two runs that claim the same bits: every metric that is no timing. */
export function reproducibleMetrics(directory: string): Partial<MetricsRow>[] {
  return metricsOf(directory).map(({ tokens_per_second: _, threads: __, ...row }) => row);
}

/** Files of the newest checkpoint whose bytes must be the same. */
export function newestCheckpointBytes(directory: string): Record<string, Buffer> {
  const checkpoint = latestCheckpoint(new RunDirectory(directory).checkpoints)!;
  const read = (name: string) => readFileSync(path.join(checkpoint, name));
  return { model: read("model.safetensors"), optimizer: read("trainer.safetensors") };
}

/** Metrics and newest checkpoint of both runs are the same to the bit. */
export function expectSameRun(got: string, wanted: string): void {
  expect(reproducibleMetrics(got)).toEqual(reproducibleMetrics(wanted));
  const [gotBytes, wantedBytes] = [newestCheckpointBytes(got), newestCheckpointBytes(wanted)];
  for (const name of Object.keys(wantedBytes)) expect(gotBytes[name].equals(wantedBytes[name]), name).toBe(true);
}
