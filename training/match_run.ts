/** Whether the run in a folder may go on with a given configuration. */
import { earliestBackwardPrecision } from "../src/config/backward_precision.ts";
import type { QuantizerDescription } from "../src/quantizers/registry.ts";
import { differingKeys } from "./config/differing_keys.ts";
import { upgradeSavedConfig } from "./config/earlier_configs.ts";
import { loadRunConfig } from "./config/load_run_config.ts";
import { keysOfLength } from "./config/quantization.ts";
import { type RunConfig, runConfigSchema } from "./config/run_config.ts";
import { scheduleOf } from "./config/run_parts.ts";
import type { RunDirectory } from "./run_directory.ts";
import { firstDifference } from "./schedules/schedule.ts";
import { latestCheckpoint, readTrainerState, TrainingCheckpointError } from "./training_checkpoint.ts";

/** Keys that may change between a checkpoint and its resumption: the weights do not depend on them. */
const freeKeys: ReadonlySet<string> = new Set([
  // Another length under the same schedule: a remark tells what that does to the rates.
  "training.max_steps",
  "about",
  "telemetry",
  // The run has its tokenizer.
  "tokenizer.path",
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

/** Names of data: where the run knows their content, that is compared instead. */
const nameKeys: readonly string[] = ["data.sources"];

/** May change as well where the steps that were made would have had the same rates. */
const scheduleKeys: readonly string[] = ["schedule"];

export interface MatchedRun {
  config: RunConfig;
  /** Lines for people about what the change of the configuration does. */
  remarks: string[];
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
 * `given` as the run to resume in `directory` has it, vocabulary size and backward precision included.
 * @throws {TrainingCheckpointError} naming the keys, if it is another configuration, or one of fewer steps than were made.
 */
export function matchRun(given: RunConfig, directory: RunDirectory): MatchedRun {
  const checkpoint = latestCheckpoint(directory.checkpoints);
  const before = storedConfig(directory, checkpoint);
  const vocabSize = given.model.vocab_size || before.model.vocab_size;
  const products = storedProducts(given, before);
  const asked = given.training.backward_precision;
  const precision = asked === "auto" ? before.training.backward_precision : asked;
  const config = {
    ...given,
    model: { ...given.model, ...products, vocab_size: vocabSize },
    training: { ...given.training, backward_precision: precision },
  };
  const steps = checkpoint === undefined ? 0 : readTrainerState(checkpoint).step;
  const differs = firstDifference(steps, scheduleOf(before), scheduleOf(config));
  const knowsContent = checkpoint !== undefined || directory.readData() !== null;
  const free = new Set([...freeKeys, ...(differs === null ? scheduleKeys : []), ...(knowsContent ? nameKeys : [])]);
  const differences = differingKeys(before, config, free);
  if (differences.length > 0) {
    throw new TrainingCheckpointError(
      `${checkpoint ?? directory.path} is from another configuration: ${differences.join(", ")}`,
    );
  }
  const kept = Object.keys(products).map((key) => `model.${key}: the run keeps its product: values`);
  return { config, remarks: [...kept, ...lengthRemarks(before, config, steps, differs)] };
}

/**
 * Quantizers that a run of before there were integer products of groups has recorded with `product: values`, where a
 * recipe that does not say the product now means the other.
 */
function storedProducts(given: RunConfig, before: RunConfig): Partial<RunConfig["model"]> {
  const withValues = (description: QuantizerDescription) =>
    typeof description === "string" ? description : { ...description, product: "values" };
  const keys = ["weight_quantizer", "embedding_quantizer"] as const;
  const changed = keys.filter((key) => {
    const [now, old] = [given.model[key], before.model[key]].map((each) => JSON.stringify(each));
    return now !== old && JSON.stringify(withValues(given.model[key])) === old;
  });
  return Object.fromEntries(changed.map((key) => [key, before.model[key]]));
}

/** @param differs the first of the steps made whose rates would be others now */
function lengthRemarks(before: RunConfig, now: RunConfig, steps: number, differs: number | null): string[] {
  const [old, length] = [before.training.max_steps, now.training.max_steps];
  if (length < steps && length !== old) {
    throw new TrainingCheckpointError(`training.max_steps is ${length}, and the run has made ${steps} steps already`);
  }
  const remarks =
    steps > 0 && length !== old
      ? keysOfLength(now.quantization).map(
          (key) =>
            `${key} goes by the fraction of the run: from step ${steps + 1} on, by that of ${length} steps, not ${old}`,
        )
      : [];
  if (differs === null) return remarks;
  return [
    ...remarks,
    `the rates of the schedule ${now.schedule.type} depend on training.max_steps: from step ${steps + 1} on they are ` +
      `those of ${length} steps; the steps ${differs} to ${steps} were made with those of ${old}`,
  ];
}
