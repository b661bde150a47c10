/**
 * Checkpoint directories: config.json + model.safetensors (+ tokenizer.json), ours or Hugging Face's for BitNet and
 * Llama, with latent weights or packed ternary ones. GGUF files are opened as the same (gguf/gguf_checkpoint.ts).
 */
import { existsSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { ModelConfig } from "../config/model_config.ts";
import { weightQuantizerOf } from "../config/model_quantizers.ts";
import { systemErrorText } from "../errors/system_error.ts";
import type { RowKeepingOrder } from "../gguf/i2_s_orders.ts";
import { CausalLM } from "../model/causal_lm.ts";
import { embeddingName, headName, modelParameters, type ParameterSpec } from "../model/parameters.ts";
import { boundedTokenizer } from "../tokenizer/bounded_tokenizer.ts";
import { loadTokenizer } from "../tokenizer/load_tokenizer.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { TokenizerError } from "../tokenizer/tokenizer_json.ts";
import { CheckpointError } from "./checkpoint_error.ts";
import { openGgufCheckpoint } from "./gguf/gguf_checkpoint.ts";
import { type ConfigReading, gainOffset, readModelConfig } from "./model_config_json.ts";
import { isTernaryPacked, latentFromTernary, scaleName, unpackTernary } from "./packed_ternary.ts";
import { checkStorage } from "./quantization_keys.ts";
import { openTensors, type TensorSource } from "./sharded_tensors.ts";

export interface Checkpoint {
  /** Or the GGUF file. */
  directory: string;
  config: ModelConfig;
  /** config.json as parsed, for keys that are not the model's; of a GGUF file, what ours would be. */
  configJson: Record<string, unknown>;
  /** Null if the directory has no tokenizer.json. */
  tokenizer: Tokenizer | null;
  /** The open weight files; the owner of the checkpoint closes it. */
  tensors: TensorSource;
}

/** How a checkpoint is read where its files leave something open, and who hears of keys that say nothing. */
export interface CheckpointOptions extends ConfigReading {
  /** In which the codes of I2_S of a GGUF file are. Default: x86. */
  i2sOrder?: RowKeepingOrder;
}

/** A run directory's newest checkpoint, also by the name of the file `latest` that tells it; any other directory itself. */
export async function checkpointDirectory(directory: string): Promise<string> {
  if (!existsSync(directory)) throw new CheckpointError(`${directory}: no such directory`);
  if (!statSync(directory).isDirectory()) {
    if (path.basename(directory) === "latest") return namedCheckpoint(directory);
    throw new CheckpointError(`${directory} is not a checkpoint directory`);
  }
  if (existsSync(path.join(directory, "config.json"))) return directory;
  const checkpoints = path.join(directory, "checkpoints");
  if (!existsSync(checkpoints)) throw new CheckpointError(`${directory} is not a checkpoint: it has no config.json`);
  const latest = path.join(checkpoints, "latest");
  if (!existsSync(latest)) throw new CheckpointError(`${directory}: the run has no checkpoint yet`);
  return namedCheckpoint(latest);
}

async function namedCheckpoint(latest: string): Promise<string> {
  return path.join(path.dirname(latest), path.basename((await readFile(latest, "utf8")).trim()));
}

/** What `readModelConfig` reads. @throws {CheckpointError} unless `file` holds a JSON object. */
export async function readConfigJson(file: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new CheckpointError(`cannot read ${file}: ${systemErrorText(error)}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new CheckpointError(`${file} is not valid JSON`);
  }
  if (json === null || typeof json !== "object" || Array.isArray(json)) {
    throw new CheckpointError(`${file}: not a JSON object`);
  }
  return json as Record<string, unknown>;
}

function openTokenizer(directory: string, config: ModelConfig): Tokenizer | null {
  if (!existsSync(path.join(directory, "tokenizer.json"))) return null;
  try {
    return boundedTokenizer(loadTokenizer(directory), config.vocabSize);
  } catch (error) {
    if (!(error instanceof TokenizerError) || error.message.startsWith(directory)) throw error;
    throw new CheckpointError(`${path.join(directory, "tokenizer.json")}: ${error.message}`);
  }
}

function isPacked(tensors: TensorSource, { name, kind }: ParameterSpec): boolean {
  return kind === "matrix" && tensors.info(name).dtype === "U8";
}

/** True if the linear weights are stored as packed codes. */
export function holdsPackedCodes({ tensors, config }: Checkpoint): boolean {
  return isPacked(tensors, firstMatrixOf(config));
}

function firstMatrixOf(config: ModelConfig): ParameterSpec {
  return modelParameters(config).find(({ kind }) => kind === "matrix")!;
}

/** Tensors that are no parameters, but that Hugging Face's files may hold beside them. */
function isTolerated(name: string, config: ModelConfig): boolean {
  return name.endsWith(".rotary_emb.inv_freq") || (config.tieWordEmbeddings && name === headName);
}

/** Every parameter of the configuration is there in its shape, and nothing else. */
function checkTensors(tensors: TensorSource, config: ModelConfig): void {
  const expected = new Set<string>();
  const quantizer = weightQuantizerOf(config);
  const firstMatrix = firstMatrixOf(config);
  for (const spec of modelParameters(config)) {
    expected.add(spec.name);
    if (!tensors.has(spec.name)) throw new CheckpointError(`${tensors.path} has no tensor ${spec.name}`);
    const packed = isPacked(tensors, spec);
    const shape = packed ? [spec.shape[0] / 4, spec.shape[1]] : spec.shape;
    if (String(tensors.info(spec.name).shape) !== String(shape)) {
      throw new CheckpointError(
        `${tensors.path}: ${spec.name} has shape [${tensors.info(spec.name).shape}], config.json asks for [${shape}]`,
      );
    }
    if (spec.kind === "matrix" && packed !== isPacked(tensors, firstMatrix)) {
      throw new CheckpointError(
        `${tensors.path}: ${spec.name} is ${tensors.info(spec.name).dtype}, ${firstMatrix.name} ${tensors.info(firstMatrix.name).dtype}: all linear weights must be packed (U8), or none`,
      );
    }
    if (!packed) continue;
    // Only this one makes the packed codes again of the latent weights that they are read as.
    if (quantizer?.fused !== "absmean_tensor") {
      const name = quantizer?.name ?? "none";
      throw new CheckpointError(`${tensors.path}: ${spec.name} is packed ternary, but weight_quantizer is ${name}`);
    }
    expected.add(scaleName(spec.name));
    if (!tensors.has(scaleName(spec.name))) {
      throw new CheckpointError(`${tensors.path} has no tensor ${scaleName(spec.name)}`);
    }
  }
  for (const name of tensors.names()) {
    if (!expected.has(name) && !isTolerated(name, config)) {
      throw new CheckpointError(`${tensors.path} has a tensor that config.json does not know: ${name}`);
    }
  }
}

/** True for the path of a GGUF file, which {@link openCheckpoint} reads as a checkpoint with latent weights. */
export function isGgufPath(file: string): boolean {
  return file.endsWith(".gguf");
}

/**
 * Opens a checkpoint directory, the newest checkpoint of a run directory, or a GGUF file. Weights stay on disk: read them
 * with {@link readParameter}.
 * @throws {CheckpointError} if a file is missing or damaged, the model is not supported, or tensors do not match.
 * @throws {GgufError} the same of a GGUF file.
 */
export async function openCheckpoint(directory: string, options: CheckpointOptions = {}): Promise<Checkpoint> {
  if (isGgufPath(directory)) return openGgufCheckpoint(directory, options.i2sOrder);
  const folder = await checkpointDirectory(directory);
  const configJson = await readConfigJson(path.join(folder, "config.json"));
  const tensors = await openTensors(folder);
  try {
    const configFile = path.join(folder, "config.json");
    const config = inFile(configFile, () =>
      readModelConfig(configJson, (name) => (tensors.has(name) ? tensors.info(name).dtype : undefined), options),
    );
    checkTensors(tensors, config);
    inFile(configFile, () => checkStorage(configJson, isPacked(tensors, firstMatrixOf(config)), options.quantization));
    if (config.tieWordEmbeddings) await checkTiedHead(tensors, configFile);
    const tokenizer = openTokenizer(folder, config);
    return { directory: folder, config, configJson, tokenizer, tensors };
  } catch (error) {
    await tensors.close();
    throw error;
  }
}

/** Runs a check of a file's contents; its error names the file. */
function inFile<T>(file: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof CheckpointError) throw new CheckpointError(`${file}: ${error.message}`);
    throw error;
  }
}

/** A head beside a tied embedding must be a copy of it: transformers takes another one for an untied head. */
async function checkTiedHead(tensors: TensorSource, configFile: string): Promise<void> {
  if (!tensors.has(headName)) return;
  const [head, embedding] = [await tensors.readBytes(headName), await tensors.readBytes(embeddingName)];
  if (Buffer.compare(head, embedding) === 0) return;
  throw new CheckpointError(
    `${configFile}: tie_word_embeddings is true, and ${headName} is another matrix than the embedding: set it to false`,
  );
}

/** The multiplying scale of a packed weight: Hugging Face's two classes store it or its reciprocal. */
async function packedScale({ tensors, configJson }: Checkpoint, weightName: string): Promise<number> {
  const values = await tensors.readFloat32(scaleName(weightName));
  const scale = values[0];
  if (values.length !== 1 || !(scale > 0) || scale === Number.POSITIVE_INFINITY) {
    throw new CheckpointError(`${tensors.path}: ${scaleName(weightName)} is not one positive number`);
  }
  const quantization = configJson.quantization_config as Record<string, unknown> | undefined;
  // transformers' default class is the one that divides.
  return quantization?.linear_class === "autobitlinear" ? scale : Math.fround(1 / scale);
}

/**
 * Latent float32 values of one parameter. Packed ternary weights become latent ones that quantize to the same codes
 * and scale.
 */
export async function readParameter(checkpoint: Checkpoint, spec: ParameterSpec): Promise<Float32Array> {
  const { tensors } = checkpoint;
  if (!isPacked(tensors, spec)) {
    const values = await tensors.readFloat32(spec.name);
    const offset = spec.kind === "norm" ? gainOffset(checkpoint.configJson) : 0;
    return offset === 0 ? values : values.map((value) => value + offset);
  }
  const [rows, cols] = spec.shape;
  const packed = await tensors.readBytes(spec.name);
  if (!isTernaryPacked(packed)) {
    throw new CheckpointError(`${tensors.path}: ${spec.name} holds a code that is not ternary`);
  }
  const codes = unpackTernary(packed, rows, cols);
  return latentFromTernary(codes, await packedScale(checkpoint, spec.name));
}

/** The float32 values of a parameter by name: where exports take them from. */
export type ReadParameter = (name: string) => Promise<Float32Array>;

/** Reads a checkpoint's parameters by name. Errors are those of {@link readParameter}. */
export function parameterReader(checkpoint: Checkpoint): ReadParameter {
  const specs = new Map(modelParameters(checkpoint.config).map((spec) => [spec.name, spec]));
  return (name) => readParameter(checkpoint, specs.get(name)!);
}

/** The checkpoint's model, on the current tfjs backend. */
export async function loadCausalLM(checkpoint: Checkpoint): Promise<CausalLM> {
  const values = new Map<string, Float32Array>();
  for (const spec of modelParameters(checkpoint.config)) values.set(spec.name, await readParameter(checkpoint, spec));
  return modelOfValues(checkpoint.config, values);
}

/** A model with these parameters, on the current tfjs backend. `values` is emptied, so that memory holds each once. */
export function modelOfValues(config: ModelConfig, values: Map<string, Float32Array>): CausalLM {
  return new CausalLM(config, {
    parameters: (name) => {
      const parameter = values.get(name)!;
      values.delete(name);
      return parameter;
    },
  });
}
