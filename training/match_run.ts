/** Whether the run in a folder may go on with a given configuration. */
import { earliestBackwardPrecision } from "../src/config/backward_precision.ts";
import { differingKeys } from "./config/differing_keys.ts";
import { upgradeSavedConfig } from "./config/earlier_configs.ts";
import { loadRunConfig } from "./config/load_run_config.ts";
import { type RunConfig, runConfigSchema } from "./config/run_config.ts";
import { scheduleOf } from "./config/run_parts.ts";
import type { RunDirectory } from "./run_directory.ts";
import { agreeUpTo } from "./schedules/schedule.ts";
import { latestCheckpoint, readTrainerState, TrainingCheckpointError } from "./training_checkpoint.ts";

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
 * `given` as the run to resume in `directory` has it, vocabulary size and backward precision included.
 * @throws {TrainingCheckpointError} naming the keys, if it is another configuration.
 */
export function matchRun(given: RunConfig, directory: RunDirectory): RunConfig {
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
