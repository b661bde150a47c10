/** What `bitnet-train` does. The command loads it, and tfjs with it, when it runs: `--help` need not wait for that. */

import { existsSync } from "node:fs";
import { selectBackend } from "../native/backend/select_backend.ts";
import { earliestBackwardPrecision } from "../src/config/backward_precision.ts";
import { resolveModelConfig } from "../src/config/model_config.ts";
import { packingWarnings } from "../src/config/packing_rules.ts";
import { productNotes } from "../src/config/product_notes.ts";
import { recipeNames } from "../src/config/recipes.ts";
import { packageVersion } from "../src/files/package.ts";
import type { Compute } from "../src/ops/compute.ts";
import { loadTokenizer } from "../src/tokenizer/load_tokenizer.ts";
import type { Tokenizer } from "../src/tokenizer/tokenizer.ts";
import { differingKeys } from "../training/config/differing_keys.ts";
import { upgradeSavedConfig } from "../training/config/earlier_configs.ts";
import { loadRunConfig, resolveConfigPath } from "../training/config/load_run_config.ts";
import { type Override, parseOverride } from "../training/config/overrides.ts";
import { type StartableConfig, withBackwardPrecision } from "../training/config/resolve_backward_precision.ts";
import { type RunConfig, runConfigSchema } from "../training/config/run_config.ts";
import { scheduleOf, trainerOptionsOf } from "../training/config/run_parts.ts";
import type { PreparedDataset } from "../training/data/prepared_dataset.ts";
import { estimateRun, formatEstimate } from "../training/dry_run.ts";
import { describeEnvironment } from "../training/environment.ts";
import { cacheDirectory, makeTokenizer, openDataset, resolveSources, withVocabulary } from "../training/run_data.ts";
import { RunDirectory, RunDirectoryError } from "../training/run_directory.ts";
import { agreeUpTo } from "../training/schedules/schedule.ts";
import { latestCheckpoint, readTrainerState, TrainingCheckpointError } from "../training/training_checkpoint.ts";
import { TrainingRun } from "../training/training_run.ts";
import { checkInteger, UsageError } from "./command.ts";
import { dataProgress } from "./data_progress.ts";
import type { TrainFlags } from "./train_flags.ts";
import { TrainingProgress } from "./training_progress.ts";

/** Keys that may change between a checkpoint and its resumption: the weights do not depend on them. */
const freeKeys: ReadonlySet<string> = new Set([
  "data.cache_directory",
  "training.log_every",
  "training.eval_every",
  "training.eval_batches",
  "training.checkpoint_every",
  "training.keep_checkpoints",
  "training.sample_every",
  "training.sample_prompt",
  "training.sample_max_tokens",
  "training.sample_temperature",
  "training.allow_unpackable",
]);

/** May change as well where the steps that were made would have had the same rates: a run may be made longer, say. */
const scheduleKeys: readonly string[] = ["training.max_steps", "schedule"];

/** Overrides of the command line, in order: `--set`, then the flags of their own. */
function overridesOf({ set = [], data = [], seed }: TrainFlags): Override[] {
  const overrides = set.map(parseOverride);
  if (data.length > 0) overrides.push({ path: ["data", "sources"], value: data, origin: "--data" });
  if (seed !== undefined) overrides.push({ path: ["training", "seed"], value: seed, origin: "--seed" });
  return overrides;
}

/**
 * The configuration of this command line: `--config`, or when resuming without it, that of the run.
 * @throws {UsageError | RunConfigError | RunDirectoryError}
 */
function readConfig(flags: TrainFlags, directory: RunDirectory | undefined): RunConfig {
  const overrides = overridesOf(flags);
  if (flags.config !== undefined) return loadRunConfig(resolveConfigPath(flags.config), overrides);
  if (!flags.resume || directory === undefined) {
    throw new UsageError(`--config is missing: a YAML file, or one of ${recipeNames().join(", ")}`);
  }
  if (!directory.hasRun()) {
    throw new RunDirectoryError(`${directory.path}: nothing to resume: there is no config.yaml in it`);
  }
  return loadRunConfig(directory.configFile, overrides);
}

/**
 * The configuration that a run was begun with. Keys that are younger than the run have their defaults; its backward
 * precision, which is never stored as `auto`, what there was before the key.
 */
function storedConfig(directory: RunDirectory, checkpoint: string | undefined): RunConfig {
  if (checkpoint === undefined) return withStoredPrecision(loadRunConfig(directory.configFile));
  const config = upgradeSavedConfig(readTrainerState(checkpoint).config);
  const completed = runConfigSchema.safeParse(config);
  return withStoredPrecision(completed.success ? completed.data : config);
}

function withStoredPrecision(config: RunConfig): RunConfig {
  const stored = config.training.backward_precision;
  const precision = stored === "auto" ? earliestBackwardPrecision : stored;
  return { ...config, training: { ...config.training, backward_precision: precision } };
}

/**
 * `given` as the run to resume has it, vocabulary size and backward precision included.
 * @throws {TrainingCheckpointError} naming the keys, if it is another configuration.
 */
function matchRun(given: RunConfig, directory: RunDirectory): RunConfig {
  const checkpoint = latestCheckpoint(directory.checkpoints);
  const before = storedConfig(directory, checkpoint);
  const vocabSize = given.model.vocab_size || before.model.vocab_size;
  const asked = given.training.backward_precision;
  const precision = asked === "auto" ? before.training.backward_precision : asked;
  const config = {
    ...given,
    model: { ...given.model, vocab_size: vocabSize },
    training: { ...given.training, backward_precision: precision },
  };
  const steps = checkpoint === undefined ? 0 : readTrainerState(checkpoint).step;
  const isSameSoFar = agreeUpTo(steps, scheduleOf(before), scheduleOf(config));
  const free = isSameSoFar ? new Set([...freeKeys, ...scheduleKeys]) : freeKeys;
  const differences = differingKeys(before, config, free);
  if (differences.length > 0) {
    throw new TrainingCheckpointError(
      `${checkpoint ?? directory.path} is from another configuration: ${differences.join(", ")}`,
    );
  }
  return config;
}

function checkFresh(directory: RunDirectory): void {
  if (latestCheckpoint(directory.checkpoints) === undefined) return;
  throw new RunDirectoryError(
    `${directory.path} holds a run already: continue it with --resume, or choose another --out`,
  );
}

interface RunInputs {
  config: StartableConfig;
  tokenizer: Tokenizer;
  dataset: PreparedDataset;
}

/** Tokenizer and tokenized data of the run; a resumed run keeps the tokenizer that lies in its folder. */
async function prepareInputs(
  config: StartableConfig,
  stored: string | undefined,
  signal: AbortSignal,
): Promise<RunInputs> {
  const report = dataProgress(process.stdout);
  const sources = resolveSources(config);
  const tokenizer =
    stored !== undefined && existsSync(stored) ? loadTokenizer(stored) : await makeTokenizer(config, sources, report);
  signal.throwIfAborted();
  const dataset = await openDataset(config, sources, tokenizer, report, signal);
  report.done();
  return { config: withVocabulary(config, tokenizer), tokenizer, dataset };
}

function printHeader({ config, tokenizer, dataset }: RunInputs, compute: Compute, reason?: string): void {
  const split = dataset.split === "none" ? "no validation part" : `${dataset.validationTokens} for validation`;
  console.log(`data      ${dataset.trainTokens} training tokens, ${split}; cached in ${cacheDirectory(config)}`);
  console.log(`tokenizer ${config.tokenizer.type}, ${tokenizer.vocabSize} ids`);
  console.log(
    `backend   ${compute.backend} (${compute.variant}), ${compute.threads} thread${compute.threads === 1 ? "" : "s"}`,
  );
  console.log(`backward  ${config.training.backward_precision}${reason === undefined ? "" : ` (auto: ${reason})`}`);
  for (const line of packingWarnings(resolveModelConfig(config.model))) console.error(`warning: ${line}`);
  for (const line of productNotes(resolveModelConfig(config.model))) console.error(`note: ${line}`);
}

/** Trains, and shows it. Returns how it ended. */
async function train(inputs: RunInputs, directory: RunDirectory, compute: Compute, signal: AbortSignal) {
  const { config } = inputs;
  const run = new TrainingRun({ ...inputs, directory, compute });
  let progress: TrainingProgress | undefined;
  try {
    const note = await run.resume();
    if (run.step > 0) console.log(`resumed   at step ${run.step} of ${config.training.max_steps}`);
    if (note !== null) console.error(`note: ${note}`);
    progress = new TrainingProgress({
      maxSteps: config.training.max_steps,
      startStep: run.step,
      stream: process.stdout,
    });
    return await run.run({ listener: progress, signal });
  } finally {
    progress?.close();
    run.dispose();
  }
}

/** @throws {UsageError} and the errors of configuration, data, run directory and checkpoint. */
export async function runTraining(flags: TrainFlags, signal: AbortSignal): Promise<void> {
  checkInteger("threads", flags.threads, 1);
  checkInteger("seed", flags.seed, 0);
  const isDryRun = flags["dry-run"];
  if (flags.out === undefined && !isDryRun) throw new UsageError("--out is missing: the folder of the run");
  const directory = flags.out === undefined ? undefined : new RunDirectory(flags.out);
  const given = readConfig(flags, directory);
  // The folder of the run that goes on; none if the old one died before it had written anything.
  const resumed = flags.resume && directory?.hasRun() ? directory : undefined;
  if (directory && !flags.resume && !isDryRun) checkFresh(directory);
  const matched = resumed ? matchRun(given, resumed) : given;

  const compute = await selectBackend(flags.backend, flags.threads);
  const { config, reason } = withBackwardPrecision(matched, compute);
  const inputs = await prepareInputs(config, resumed?.tokenizerFile, signal);
  try {
    printHeader(inputs, compute, reason);
    if (isDryRun || directory === undefined) {
      const estimate = await estimateRun(trainerOptionsOf(inputs.config, { ...inputs, compute }));
      const { keep_checkpoints } = inputs.config.training;
      for (const line of formatEstimate(estimate, inputs.dataset.trainTokens, keep_checkpoints)) console.log(line);
      return;
    }
    directory.create();
    directory.writeTokenizer(inputs.tokenizer);
    const { backward_precision } = inputs.config.training;
    directory.writeEnvironment(
      describeEnvironment(compute, packageVersion(), process.argv.slice(1), backward_precision),
    );
    directory.writeConfig(inputs.config);
    const end = await train(inputs, directory, compute, signal);
    if (end === "interrupted") {
      process.exitCode = 130;
      console.log(`interrupted: continue with bitnet-train --resume --out ${directory.path}`);
    } else {
      console.log(`done: ${directory.path}; next: bitnet-export ${directory.path} --out model.gguf`);
    }
  } finally {
    await inputs.dataset.close();
  }
}
