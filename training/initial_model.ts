/**
 * The model of `init_from`, which a run begins with: any checkpoint that is read here. Weights start there; the optimizer,
 * the schedule and the order of the data are new.
 *
 * Ternary codes become latent weights whose quantizer makes the same codes and the same scale again (fillLatent in
 * src/checkpoint): as long as the quantizers stay, the forward pass of step 0 has the bits of the imported model.
 */
import { createHash } from "node:crypto";
import { createReadStream, existsSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import {
  type Checkpoint,
  isGgufPath,
  modelOfValues,
  openCheckpoint,
  readParameter,
} from "../src/checkpoint/checkpoint.ts";
import { modelConfigJson } from "../src/checkpoint/model_config_json.ts";
import type { Quantization } from "../src/checkpoint/quantization_keys.ts";
import { type ModelConfig, modelConfigKeys, resolveModelConfig } from "../src/config/model_config.ts";
import { fetchHubModel } from "../src/data/hub_model.ts";
import { parseHubModelId } from "../src/data/hub_model_id.ts";
import type { HubOptions } from "../src/data/hub_repository.ts";
import { modelFiles } from "../src/gguf/split_files.ts";
import type { CausalLM } from "../src/model/causal_lm.ts";
import { modelParameters } from "../src/model/parameters.ts";
import type { InitialShape } from "./config/initial_shape.ts";
import { initialRequest, loadRunConfig } from "./config/load_run_config.ts";
import type { Override } from "./config/overrides.ts";
import type { RunConfig } from "./config/run_config.ts";
import type { InitialRecord } from "./initial_record.ts";
import type { RunDirectory } from "./run_directory.ts";
import { latestCheckpoint, readTrainerState } from "./training_checkpoint.ts";

/** A model that is open, and not yet read. */
export interface InitialModel {
  checkpoint: Checkpoint;
  shape: InitialShape;
  close(): Promise<void>;
}

export interface LoadedModel {
  model: CausalLM;
  record: InitialRecord;
}

export interface InitialOptions {
  /** What its linear layers are, if its files do not say it. */
  assumed?: Quantization;
  /** Hears how far the download of a model of the Hub is, in bytes. */
  onDownload?: HubOptions["onProgress"];
}

/**
 * @param source a run, a checkpoint, a Hugging Face folder, a GGUF file, or, where no such path is, a model of the Hub as
 *   `bitnet-export --from` names it
 * @throws {CheckpointError | GgufError | DataError} with one line.
 */
export async function openInitialModel(
  source: string,
  { assumed, onDownload }: InitialOptions = {},
): Promise<InitialModel> {
  const checkpoint = await openCheckpoint(await localModel(source, onDownload), { assumed });
  const known = Object.entries(modelConfigJson(checkpoint.config, null)).filter(([key]) =>
    modelConfigKeys.includes(key),
  );
  return {
    checkpoint,
    shape: { source, model: Object.fromEntries(known) as unknown as InitialShape["model"] },
    close: () => checkpoint.tensors.close(),
  };
}

/** The path of the model itself, downloaded if it is on the Hub. What lies here wins. */
async function localModel(source: string, onProgress?: HubOptions["onProgress"]): Promise<string> {
  const id = existsSync(source) ? null : parseHubModelId(source);
  return id === null ? source : fetchHubModel(id, { onProgress });
}

/** A configuration, and the model that its run begins with: null without `init_from`, or where the run has its weights. */
export interface RunStart {
  config: RunConfig;
  initial: InitialModel | null;
  shape: InitialShape | null;
}

/**
 * Reads a configuration file, and the model that it names.
 * @param resumed the folder of the run that goes on
 * @throws {RunConfigError | CheckpointError | GgufError | DataError}
 */
export async function loadRunStart(
  file: string,
  overrides: readonly Override[] = [],
  resumed?: RunDirectory,
  onDownload?: InitialOptions["onDownload"],
): Promise<RunStart> {
  const request = initialRequest(file, overrides);
  if (request === null) return { config: loadRunConfig(file, overrides), initial: null, shape: null };
  const begun = resumed === undefined ? undefined : latestCheckpoint(resumed.checkpoints);
  if (begun !== undefined) {
    const shape = { source: `of ${begun}`, model: readTrainerState(begun).config.model };
    return { config: loadRunConfig(file, overrides, shape), initial: null, shape: null };
  }
  const initial = await openInitialModel(request.source, { assumed: request.assumed, onDownload });
  try {
    return { config: loadRunConfig(file, overrides, initial.shape), initial, shape: initial.shape };
  } catch (error) {
    await initial.close();
    throw error;
  }
}

/**
 * The model of a run, with the weights that it begins with, on the current tfjs backend.
 * @param config of the run, resolved
 */
export async function loadInitialModel({ checkpoint, shape }: InitialModel, config: RunConfig): Promise<LoadedModel> {
  const modelConfig = resolveModelConfig(config.model);
  const model = modelOfValues(modelConfig, await initialParameters(checkpoint, modelConfig));
  return { model, record: await recordOf(shape.source, checkpoint.directory) };
}

/** Values of all parameters: the checkpoint's; what another quantizer learns begins by its own rule. */
async function initialParameters(checkpoint: Checkpoint, config: ModelConfig): Promise<Map<string, Float32Array>> {
  const stored = new Map(modelParameters(checkpoint.config).map((spec) => [spec.name, spec]));
  const isSame = JSON.stringify(checkpoint.config.weightQuantizer) === JSON.stringify(config.weightQuantizer);
  const values = new Map<string, Float32Array>();
  for (const spec of modelParameters(config)) {
    const { name, learnt } = spec;
    const source = learnt === undefined || isSame ? stored.get(name) : undefined;
    values.set(
      name,
      source === undefined
        ? learnt!.initial(values.get(learnt!.matrix.name)!)
        : await readParameter(checkpoint, source),
    );
  }
  return values;
}

async function recordOf(source: string, where: string): Promise<InitialRecord> {
  const files = isGgufPath(where) ? ggufParts(where) : checkpointFiles(where);
  const hashed = [];
  for (const file of files) {
    const hash = createHash("sha256");
    await pipeline(createReadStream(file), hash);
    hashed.push({ name: path.basename(file), bytes: statSync(file).size, sha256: hash.digest("hex") });
  }
  return { source, path: path.resolve(where), files: hashed };
}

/** All parts of a split file that were read with the named one. */
function ggufParts(file: string): string[] {
  const count = Number(/-of-(\d{5})\.gguf$/.exec(file)?.[1] ?? 1);
  const parts = modelFiles(file, count);
  return parts.every((part) => existsSync(part)) ? parts : [file];
}

/** What says which model it is; what a trainer keeps beside it does not. */
function checkpointFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /^(?:config|tokenizer)\.json$|^model.*\.safetensors(?:\.index\.json)?$/.test(name))
    .sort()
    .map((name) => path.join(folder, name));
}
