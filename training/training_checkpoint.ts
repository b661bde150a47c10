/**
 * Checkpoints of a run: everything that training needs to go on to the same bits.
 *
 *     checkpoints/step-00000500/config.json, tokenizer.json, model.safetensors   latent weights, as Hugging Face lays them out
 *     checkpoints/step-00000500/trainer.safetensors                              the optimizer's state, float32: AdamW's `m.NAME`, `v.NAME`; the average: `ema.NAME`
 *     checkpoints/step-00000500/trainer.json                                     {@link TrainerState}
 *     checkpoints/latest                                                         name of the newest complete folder
 *
 * A folder appears by renaming a complete, synced one; then `latest` is replaced the same way; then old folders go.
 * Whenever the process dies, `latest` names a whole checkpoint.
 *
 * There is no other random state: initial weights, data order and samples are functions of (seed, stream, counter),
 * see src/random, and the counters are the step and the data cursor.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { SafetensorsFile } from "../src/checkpoint/safetensors_file.ts";
import { type SafetensorsEntry, writeSafetensors } from "../src/checkpoint/safetensors_writer.ts";
import { writeCheckpoint } from "../src/checkpoint/write_checkpoint.ts";
import { systemErrorText } from "../src/errors/system_error.ts";
import { UserError } from "../src/errors/user_error.ts";
import { writeWholeFileSync } from "../src/files/whole_file.ts";
import type { CausalLM } from "../src/model/causal_lm.ts";
import type { Tokenizer } from "../src/tokenizer/tokenizer.ts";
import type { RunConfig } from "./config/run_config.ts";
import type { BatchCursor } from "./data/batch_iterator.ts";
import type { Optimizer } from "./optimizers/optimizer.ts";

/** Contents of trainer.json. */
export interface TrainerState {
  format: 1;
  /** Updates made. */
  step: number;
  dataCursor: BatchCursor;
  /** Key of the tokenized data set; a run does not go on with other data. */
  dataset: string;
  tokenizerHash: string;
  /** Training loss summed since the last metrics row, and the number of steps in the sum. */
  lossSum: number;
  lossSteps: number;
  /** The same of the loss's other terms, by name. */
  termSums?: Readonly<Record<string, number>>;
  /** What the draws of int8's stochastic rounding are keyed by; absent: the order of the products in the pass. */
  roundingKeys?: "layer";
  config: RunConfig;
}

/** Who has tensors besides the model's: the trainer. */
export type StateHolder = Pick<Optimizer, "state">;

/** A checkpoint is damaged or belongs to another run. */
export class TrainingCheckpointError extends UserError {
  override name = "TrainingCheckpointError";
}

export function checkpointName(step: number): string {
  return `step-${String(step).padStart(8, "0")}`;
}

/** Folder of the newest complete checkpoint below `checkpoints`, or undefined. */
export function latestCheckpoint(checkpoints: string): string | undefined {
  const pointer = path.join(checkpoints, "latest");
  if (!existsSync(pointer)) return undefined;
  return path.join(checkpoints, readFileSync(pointer, "utf8").trim());
}

/** Updates of the newest complete checkpoint below `checkpoints`; 0 without one. */
export function latestStep(checkpoints: string): number {
  return Number(latestCheckpoint(checkpoints)?.match(/step-(\d+)$/)?.[1] ?? 0);
}

function* stateEntries(trainer: StateHolder): Generator<SafetensorsEntry> {
  for (const { name, tensor } of trainer.state()) {
    yield { name, dtype: "F32", shape: tensor.shape, data: () => tensor.dataSync() as Float32Array };
  }
}

/**
 * Writes a checkpoint, makes it the latest, and removes all but the `keep` newest.
 * @throws the file system's error (a full disk, say); the earlier checkpoints are then untouched.
 */
export async function saveTrainingCheckpoint(
  checkpoints: string,
  content: { model: CausalLM; tokenizer: Tokenizer; trainer: StateHolder; state: TrainerState },
  keep: number,
): Promise<string> {
  const { model, tokenizer, trainer, state } = content;
  const name = checkpointName(state.step);
  const target = path.join(checkpoints, name);
  // The same step of the same run holds the same bits.
  if (latestCheckpoint(checkpoints) !== target) {
    await writeCheckpoint(target, {
      config: model.config,
      tokenizer,
      parameters: (parameter) => model.parameters.get(parameter)!.dataSync() as Float32Array,
      writeExtra: async (directory) => {
        await writeSafetensors(path.join(directory, "trainer.safetensors"), stateEntries(trainer));
        writeFileSync(path.join(directory, "trainer.json"), `${JSON.stringify(state, null, 2)}\n`);
      },
    });
    writeWholeFileSync(path.join(checkpoints, "latest"), `${name}\n`);
  }
  pruneCheckpoints(checkpoints, keep);
  return target;
}

/** Removes all but the `keep` newest checkpoints; never the latest. */
function pruneCheckpoints(checkpoints: string, keep: number): void {
  const latest = path.basename(latestCheckpoint(checkpoints) ?? "");
  const names = readdirSync(checkpoints)
    .filter((name) => /^step-\d{8,}$/.test(name))
    .sort();
  for (const name of names.slice(0, -keep)) {
    if (name !== latest) rmSync(path.join(checkpoints, name), { recursive: true, force: true });
  }
}

/** Reads trainer.json of a checkpoint folder. @throws {TrainingCheckpointError} */
export function readTrainerState(checkpoint: string): TrainerState {
  const file = path.join(checkpoint, "trainer.json");
  let state: TrainerState;
  try {
    state = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new TrainingCheckpointError(`${file}: cannot be read: ${systemErrorText(error)}`);
  }
  if (state.format !== 1) throw new TrainingCheckpointError(`${file}: unknown format ${state.format}`);
  return state;
}

/** Sets parameters and the trainer's state to those of the checkpoint. @throws {TrainingCheckpointError} on another shape. */
export async function restoreTensors(checkpoint: string, model: CausalLM, trainer: StateHolder): Promise<void> {
  await withSafetensors(path.join(checkpoint, "model.safetensors"), async (file) => {
    for (const [name, parameter] of model.parameters) await assignFrom(file, name, parameter);
  });
  await withSafetensors(path.join(checkpoint, "trainer.safetensors"), async (file) => {
    for (const { name, tensor } of trainer.state()) await assignFrom(file, name, tensor);
  });
}

async function withSafetensors(file: string, read: (tensors: SafetensorsFile) => Promise<void>): Promise<void> {
  const tensors = await SafetensorsFile.open(file);
  try {
    await read(tensors);
  } finally {
    await tensors.close();
  }
}

async function assignFrom(file: SafetensorsFile, name: string, variable: tf.Variable): Promise<void> {
  const { shape } = file.info(name);
  if (shape.join() !== variable.shape.join()) {
    throw new TrainingCheckpointError(
      `${name} has shape [${shape}] in the checkpoint, [${variable.shape}] in the model`,
    );
  }
  const values = await file.readFloat32(name);
  tf.tidy(() => variable.assign(tf.tensor(values, variable.shape, "float32")));
}
