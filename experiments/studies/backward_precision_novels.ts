/**
 * Shape S of the backward precision study: the recipe backward_study.yaml on the novels of `shared`, as `bitnet-train` would
 * run it. The vocabulary is learnt once for all runs; a run that was stopped goes on from its last checkpoint.
 */

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { BackwardPrecision } from "../../src/config/backward_precision.ts";
import { recipePath } from "../../src/config/recipes.ts";
import type { Compute } from "../../src/ops/compute.ts";
import { loadTokenizer } from "../../src/tokenizer/load_tokenizer.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { loadRunConfig } from "../../training/config/load_run_config.ts";
import type { Override } from "../../training/config/overrides.ts";
import { type StartableConfig, withBackwardPrecision } from "../../training/config/resolve_backward_precision.ts";
import type { RunConfig } from "../../training/config/run_config.ts";
import type { MetricsRow } from "../../training/metrics.ts";
import { makeTokenizer, openDataset, withVocabulary } from "../../training/run_data.ts";
import { RunDirectory, readRows } from "../../training/run_directory.ts";
import { TrainingRun } from "../../training/training_run.ts";

/** A run of the study. */
export interface StudyRun {
  precision: BackwardPrecision;
  seed: number;
  steps: number;
  /** Folder of the data sets. */
  shared: string;
  /** Folder of the runs that go on where they were stopped. */
  work: string;
  compute: Compute;
}

function studyConfig({ precision, seed, steps, shared, work, compute }: StudyRun): StartableConfig {
  const set = (section: string, values: Record<string, unknown>): Override[] =>
    Object.entries(values).map(([key, value]) => ({ path: [section, key], value, origin: "the study" }));
  const config = loadRunConfig(recipePath("backward_study")!, [
    ...set("data", {
      sources: path.join(shared, "data/stories/pd_english_novels.txt"),
      document_separator: "<|endoftext|>",
      cache_directory: path.join(work, "cache"),
    }),
    ...set("training", { backward_precision: precision, seed, max_steps: steps }),
  ]);
  return withBackwardPrecision(config, compute).config;
}

async function sharedTokenizer(config: RunConfig, work: string): Promise<Tokenizer> {
  const file = path.join(work, "tokenizer.json");
  if (!existsSync(file)) {
    const { json } = await makeTokenizer(config, [config.data.sources].flat());
    mkdirSync(work, { recursive: true });
    writeFileSync(file, JSON.stringify(json));
  }
  return loadTokenizer(file);
}

/** Trains one run to its end and yields its validations. */
export async function* trainNovels(
  run: StudyRun,
): AsyncGenerator<{ step: number; train_loss: number; validation_loss: number }> {
  const recipe = studyConfig(run);
  const tokenizer = await sharedTokenizer(recipe, run.work);
  const config = withVocabulary(recipe, tokenizer);
  const dataset = await openDataset(config, [config.data.sources].flat(), tokenizer);
  const name = `s_${run.precision}_${run.seed}_${run.steps}`;
  const directory = new RunDirectory(path.join(run.work, name));
  directory.create();
  directory.writeTokenizer(tokenizer);
  directory.writeConfig(config);
  const trainer = new TrainingRun({ config, tokenizer, dataset, directory, compute: run.compute });
  try {
    await trainer.resume();
    await trainer.run({
      listener: {
        onMetrics: ({ step, loss, val_loss }) => {
          if (val_loss !== undefined) console.log(`${name} step ${step}: training ${loss.toFixed(4)}, ${val_loss}`);
        },
      },
    });
    for (const { step, loss, val_loss } of readRows<MetricsRow>(directory.metricsFile)) {
      if (val_loss !== undefined) yield { step, train_loss: loss, validation_loss: val_loss };
    }
  } finally {
    trainer.dispose();
    await dataset.close();
  }
}
