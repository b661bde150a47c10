/**
 * config.json of a checkpoint: ours (every key of `model_config.ts`), Hugging Face's for the classes of
 * `src/config/families`, or ours after transformers has written it again. It is read by what it says: what this code would
 * compute differently from the file's author is refused, not ignored.
 */

import { hasOwnEmbedding } from "../config/embedding_keys.ts";
import { families, familyOf } from "../config/families/families.ts";
import { fixedKeys, graphMisfits, type ModelFamily, openKeys } from "../config/families/family.ts";
import { graphKeys } from "../config/graph_keys.ts";
import {
  type ModelConfig,
  ModelConfigError,
  type ModelConfigJson,
  modelConfigKeys,
  modelConfigSchema,
  resolveModelConfig,
} from "../config/model_config.ts";
import { activationQuantizerOf, isFloat, ownQuantizerKey, weightQuantizerOf } from "../config/model_quantizers.ts";
import { ofMember } from "../config/schema_errors.ts";
import { embeddingName, headName } from "../model/parameters.ts";
import { defaultActivationQuantizer, defaultWeightQuantizer } from "../quantizers/registry.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { CheckpointError } from "./checkpoint_error.ts";
import { checkNeutralKeys, unknownKeys } from "./config_keys.ts";
import { scaleName } from "./packed_ternary.ts";
import { hasBitnetLayers, type Quantization, quantizationConfigJson } from "./quantization_keys.ts";
import { readRope } from "./rope_keys.ts";
import type { SafetensorsDtype } from "./safetensors_header.ts";

type Json = Record<string, unknown>;
type NewerGraphKey =
  | "qk_norm"
  | "attention_bias"
  | "qkv_bias"
  | "mlp_bias"
  | "rope_scaling"
  | "sliding_window"
  | "sliding_window_pattern"
  | "rope_local_theta"
  | "embedding_multiplier";

/** `model_type` of graphs that no class of transformers is. */
const ownType = "bitnet-lab";

/** The stored type of a tensor of the checkpoint; undefined if it has none of that name. */
export type TensorDtype = (name: string) => SafetensorsDtype | undefined;

const bitnetLayers: Partial<ModelConfigJson> = {
  weight_quantizer: defaultWeightQuantizer,
  activation_quantizer: defaultActivationQuantizer,
};

const floatLayers: Partial<ModelConfigJson> = { weight_quantizer: "none", activation_quantizer: "none" };

const smallDtypes: Partial<Record<SafetensorsDtype, "f16" | "bf16">> = { F16: "f16", BF16: "bf16" };

/** What the stored types say: a bfloat16 embedding or scale is one, and loses nothing where float32 would not fit. */
function storedDtypes(json: Json, tensorDtype: TensorDtype): Partial<ModelConfigJson> {
  const found: Partial<ModelConfigJson> = {};
  const embedding = smallDtypes[tensorDtype(embeddingName) ?? "F32"];
  if (embedding !== undefined) found.embedding_dtype = embedding;
  const scale = smallDtypes[tensorDtype(scaleName("model.layers.0.self_attn.q_proj.weight")) ?? "F32"];
  // The other class stores the reciprocal, which is no bfloat16.
  const multiplies = (json.quantization_config as Json | undefined)?.linear_class === "autobitlinear";
  if (scale !== undefined && multiplies) found.scale_dtype = scale;
  return found;
}

const listed = (words: readonly string[]) => `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;

/**
 * The family of the file by `model_type`, or what `architectures` says of it; null for a graph of our own. Files of ours may
 * have neither.
 * @throws {CheckpointError} if it is another model, or the two disagree.
 */
function fileFamily(json: Json, isOurs: boolean): ModelFamily | null {
  const [architecture] = Array.isArray(json.architectures) ? json.architectures : [];
  const byClass = families.find(({ className }) => className === architecture);
  const type = json.model_type ?? byClass?.modelType ?? (isOurs ? ownType : "bitnet");
  if (type === ownType && isOurs) return null;
  const family = families.find(({ modelType }) => modelType === type);
  if (family === undefined) {
    const known = listed(families.map(({ modelType }) => modelType));
    throw new CheckpointError(`model_type "${type}" is not supported, only ${known}`);
  }
  if (architecture !== undefined && byClass === undefined) {
    throw new CheckpointError(
      `architectures "${architecture}" is not supported, only ${listed(families.map(({ className }) => className))}`,
    );
  }
  if (byClass !== undefined && byClass !== family) {
    throw new CheckpointError(
      `model_type is ${type} and architectures is ${architecture}: correct the one that is wrong`,
    );
  }
  return family;
}

/** What a file that is not ours says by its family and its tensors. */
function foreignDefaults(json: Json, family: ModelFamily, tensorDtype: TensorDtype, isBitnet: boolean): Json {
  return {
    ...family.defaults,
    ...fixedKeys(family),
    scale_dtype: "f32",
    embedding_dtype: "f32",
    ...storedDtypes(json, tensorDtype),
    ...(isBitnet ? bitnetLayers : floatLayers),
  };
}

function translatedKeys(family: ModelFamily | null, json: Json) {
  try {
    return family?.translate?.(json);
  } catch (error) {
    if (error instanceof ModelConfigError) throw new CheckpointError(error.message);
    throw error;
  }
}

/** What the class of a file adds to the gains of norms that it stores: 0 in files of ours, and of most families. */
export function gainOffset(json: Json): number {
  const isOurs = "weight_quantizer" in json;
  return isOurs ? 0 : (families.find(({ modelType }) => modelType === json.model_type)?.gainOffset ?? 0);
}

/** Keys that transformers writes for every family: in a file of a family that has no such part they are its own. */
const ambiguousKeys = ["sliding_window"];

/** Those of our keys that the file may set: in one that is not ours, what its family reads of the graph. */
function readKeys(family: ModelFamily | null, isOurs: boolean): string[] {
  const ours = Object.keys(graphKeys).filter((key) => family === null || !ambiguousKeys.includes(key));
  const read = isOurs || family === null ? ours : openKeys(family);
  return modelConfigKeys.filter((key) => !(key in graphKeys) || read.includes(key));
}

/** Our own keys, whoever wrote the file. */
function ownKeys(json: Json, read: readonly string[]): Json {
  const isKey = ([key, value]: [string, unknown]) => read.includes(key) && value !== null;
  return Object.fromEntries(Object.entries(json).filter(isKey));
}

export interface ConfigReading {
  /** What the linear layers are, where the file does not say it. */
  quantization?: Quantization;
  /** The same, where neither the file nor the user says it. */
  assumed?: Quantization;
  /** Gets a line about keys that neither this code nor transformers knows. */
  onRemark?: (line: string) => void;
}

/**
 * The model configuration of a parsed config.json, by what it says, whoever wrote it: our own keys beside those of
 * transformers, which must not contradict them.
 * @param tensorDtype the stored types of the checkpoint, for keys that Hugging Face does not have
 * @throws {CheckpointError} with the key that is wrong, contradicted or not supported.
 */
export function readModelConfig(
  json: unknown,
  tensorDtype: TensorDtype,
  { quantization, assumed, onRemark }: ConfigReading = {},
): ModelConfig {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new CheckpointError("not a JSON object");
  }
  const file = json as Json;
  // Only our files name their quantizers.
  const isOurs = "weight_quantizer" in file;
  const family = fileFamily(file, isOurs);
  const translated = isOurs ? undefined : translatedKeys(family, file);
  const read = readKeys(family, isOurs);
  checkNeutralKeys(file, [...read, ...(translated?.read ?? [])]);
  const isBitnet = hasBitnetLayers(file, family?.modelType ?? ownType, { given: quantization, assumed });
  const keys: Json = {
    ...(isOurs || family === null ? family?.defaults : foreignDefaults(file, family, tensorDtype, isBitnet)),
    ...ownKeys(file, read),
    ...translated?.keys,
    // The user's answer, where the quantizers that the file names were not what ran.
    ...(isOurs && !isBitnet ? floatLayers : {}),
  };
  const rope = readRope(file);
  if (rope.theta !== undefined) keys.rope_theta = rope.theta;
  keys.rope_scaling = rope.scaling;
  // Hugging Face leaves the key out where it has the class's default, which has changed: the tensors decide.
  keys.tie_word_embeddings = file.tie_word_embeddings ?? tensorDtype(headName) === undefined;
  const config = resolved(keys);
  const misfit = family === null ? undefined : graphMisfits(family, config)[0];
  if (misfit !== undefined) throw new CheckpointError(`no model of model_type ${family?.modelType} has ${misfit}`);
  const unknown = unknownKeys(file).filter((key) => translated?.read.includes(key) !== true);
  if (unknown.length > 0) {
    onRemark?.(`config.json: not known to this model's class, and not used: ${unknown.join(", ")}`);
  }
  return config;
}

/** @throws {CheckpointError} with the key that is wrong. */
function resolved(keys: Json): ModelConfig {
  const parsed = modelConfigSchema.safeParse(keys);
  if (!parsed.success) {
    const issue = ofMember(parsed.error.issues[0]);
    throw new CheckpointError(`${issue.path.join(".")}: ${issue.message}`);
  }
  try {
    const config = resolveModelConfig(parsed.data);
    if (config.vocabSize === 0) throw new ModelConfigError("vocab_size is missing");
    return config;
  } catch (error) {
    if (error instanceof ModelConfigError) throw new CheckpointError(error.message);
    throw error;
  }
}

/** True if AutoBitLinear quantizes as the model does: weights by the mean of their matrix. */
function isTransformersBitnet(config: ModelConfig): boolean {
  return weightQuantizerOf(config)?.fused === "absmean_tensor" && activationQuantizerOf(config) !== null;
}

/**
 * What transformers takes the model for. A model that none of its classes computes gets a type that it does not know: it
 * would load the weights and run another model without a word.
 */
function transformersKeys(config: ModelConfig): Json {
  const other = { model_type: ownType };
  const family = familyOf(config);
  if (family === null || ownQuantizerKey(config) !== null || hasOwnEmbedding(config)) return other;
  // We store gains as they multiply.
  if (family.gainOffset !== undefined) return other;
  const quantized = isTransformersBitnet(config);
  if (!quantized && !isFloat(config)) return other;
  return {
    architectures: [family.className],
    model_type: family.modelType,
    ...(quantized ? { quantization_config: quantizationConfigJson(false) } : {}),
  };
}

/** The keys that newer graphs have, where they say something. */
function newerGraphKeys(config: ModelConfig): Json {
  return {
    ...(config.qkNorm ? { qk_norm: true } : {}),
    ...(config.attentionBias === "all" ? { attention_bias: true } : {}),
    ...(config.attentionBias === "qkv" ? { qkv_bias: true } : {}),
    ...(config.mlpBias ? { mlp_bias: true } : {}),
    ...(config.ropeScaling === null ? {} : { rope_scaling: config.ropeScaling }),
    ...(config.slidingWindow === null
      ? {}
      : {
          sliding_window: config.slidingWindow.size,
          sliding_window_pattern: config.slidingWindow.pattern,
          rope_local_theta: config.slidingWindow.ropeTheta,
        }),
    ...(config.embeddingMultiplier === 1 ? {} : { embedding_multiplier: config.embeddingMultiplier }),
  };
}

/** config.json of a checkpoint of ours: all keys of the model, and what Hugging Face needs to know its type. */
export function modelConfigJson(config: ModelConfig, tokenizer: Tokenizer | null): Json {
  const keys: Required<Omit<ModelConfigJson, "use_sub_norms" | NewerGraphKey>> = {
    hidden_size: config.hiddenSize,
    num_hidden_layers: config.numHiddenLayers,
    intermediate_size: config.intermediateSize,
    num_attention_heads: config.numAttentionHeads,
    num_key_value_heads: config.numKeyValueHeads,
    head_dim: config.headDim,
    vocab_size: config.vocabSize,
    max_position_embeddings: config.maxPositionEmbeddings,
    rms_norm_eps: config.rmsNormEps,
    rope_theta: config.ropeTheta,
    hidden_act: config.hiddenAct,
    norm_placement: config.normPlacement,
    feed_forward: config.feedForward,
    use_hadamard: config.useHadamard,
    tie_word_embeddings: config.tieWordEmbeddings,
    initializer_range: config.initializerRange,
    weight_quantizer: config.weightQuantizer,
    activation_quantizer: config.activationQuantizer,
    scale_dtype: config.scaleDtype,
    embedding_dtype: config.embeddingDtype,
    embedding_quantizer: config.embeddingQuantizer,
    ...newerGraphKeys(config),
  };
  return {
    ...transformersKeys(config),
    torch_dtype: "float32",
    bos_token_id: tokenizer?.bosTokenId ?? null,
    eos_token_id: tokenizer?.eosTokenId ?? null,
    ...keys,
  };
}
