/**
 * config.json of a checkpoint: ours (every key of `model_config.ts`), Hugging Face's for `BitNetForCausalLM` and
 * `LlamaForCausalLM`, or ours after transformers has written it again. It is read by what it says: what this code would
 * compute differently from the file's author is refused, not ignored.
 */

import { hasOwnEmbedding } from "../config/embedding_keys.ts";
import {
  type ModelConfig,
  ModelConfigError,
  type ModelConfigJson,
  modelConfigKeys,
  modelConfigSchema,
  resolveModelConfig,
} from "../config/model_config.ts";
import { activationQuantizerOf, isFloat, ownGraphKey, weightQuantizerOf } from "../config/model_quantizers.ts";
import { ofMember } from "../config/schema_errors.ts";
import { embeddingName, headName } from "../model/parameters.ts";
import { defaultActivationQuantizer, defaultWeightQuantizer } from "../quantizers/registry.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { CheckpointError } from "./checkpoint_error.ts";
import { checkNeutralKeys, unknownKeys } from "./config_keys.ts";
import { scaleName } from "./packed_ternary.ts";
import { hasBitnetLayers, type Quantization, quantizationConfigJson } from "./quantization_keys.ts";
import { ropeTheta } from "./rope_keys.ts";
import type { SafetensorsDtype } from "./safetensors_header.ts";

type Json = Record<string, unknown>;

/** The stored type of a tensor of the checkpoint; undefined if it has none of that name. */
export type TensorDtype = (name: string) => SafetensorsDtype | undefined;

/** What the class of a model type takes for keys of the shape that a file leaves out, whoever wrote it. */
const sharedDefaults: Record<string, Partial<ModelConfigJson>> = {
  bitnet: { max_position_embeddings: 2048, rope_theta: 500000, rms_norm_eps: 1e-5, hidden_act: "relu2" },
  llama: { max_position_embeddings: 2048, rope_theta: 10000, rms_norm_eps: 1e-6, hidden_act: "silu" },
};

/** The same, with the keys that only our files have. */
const typeDefaults: Record<string, Partial<ModelConfigJson>> = {
  bitnet: { ...sharedDefaults.bitnet, scale_dtype: "f32", embedding_dtype: "f32" },
  llama: { ...sharedDefaults.llama, norm_placement: "pre", scale_dtype: "f32", embedding_dtype: "f32" },
};

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

/** Model types, and the classes that their files name. */
const classes: Record<string, string> = { bitnet: "BitNetForCausalLM", llama: "LlamaForCausalLM" };

/**
 * `model_type`, or what `architectures` says of it. Files of ours may have neither.
 * @throws {CheckpointError} if it is another model, or the two disagree.
 */
function modelType(json: Json, isOurs: boolean): string {
  const [architecture] = Array.isArray(json.architectures) ? json.architectures : [];
  const byClass = Object.keys(classes).find((type) => classes[type] === architecture);
  const type = json.model_type ?? byClass ?? (isOurs ? "bitnet-lab" : "bitnet");
  if (type === "bitnet-lab" && isOurs) return type;
  if (typeof type !== "string" || !Object.hasOwn(classes, type)) {
    throw new CheckpointError(`model_type "${type}" is not supported, only bitnet and llama`);
  }
  if (architecture !== undefined && byClass === undefined) {
    throw new CheckpointError(
      `architectures "${architecture}" is not supported, only ${Object.values(classes).join(" and ")}`,
    );
  }
  if (architecture !== undefined && byClass !== type) {
    throw new CheckpointError(
      `model_type is ${type} and architectures is ${architecture}: correct the one that is wrong`,
    );
  }
  return type;
}

/** What a file that is not ours says by its type and its tensors. */
function foreignDefaults(json: Json, type: string, tensorDtype: TensorDtype, isBitnet: boolean): Json {
  return { ...typeDefaults[type], ...storedDtypes(json, tensorDtype), ...(isBitnet ? bitnetLayers : floatLayers) };
}

/** Our own keys, whoever wrote the file. */
function ownKeys(json: Json): Json {
  const isKey = ([key, value]: [string, unknown]) => modelConfigKeys.includes(key) && value !== null;
  return Object.fromEntries(Object.entries(json).filter(isKey));
}

export interface ConfigReading {
  /** What the linear layers are, where the file does not say it. */
  quantization?: Quantization;
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
  { quantization, onRemark }: ConfigReading = {},
): ModelConfig {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new CheckpointError("not a JSON object");
  }
  const file = json as Json;
  // Only our files name their quantizers.
  const isOurs = "weight_quantizer" in file;
  const type = modelType(file, isOurs);
  checkNeutralKeys(file);
  const isBitnet = hasBitnetLayers(file, type, quantization);
  const keys: Json = {
    ...(isOurs ? sharedDefaults[type] : foreignDefaults(file, type, tensorDtype, isBitnet)),
    ...ownKeys(file),
    // The user's answer, where the quantizers that the file names were not what ran.
    ...(isOurs && !isBitnet ? floatLayers : {}),
  };
  const theta = ropeTheta(file);
  if (theta !== undefined) keys.rope_theta = theta;
  // Hugging Face leaves the key out where it has the class's default, which has changed: the tensors decide.
  keys.tie_word_embeddings = file.tie_word_embeddings ?? tensorDtype(headName) === undefined;
  const config = resolved(keys);
  const unknown = unknownKeys(file);
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
  const other = { model_type: "bitnet-lab" };
  if (ownGraphKey(config) !== null || hasOwnEmbedding(config)) return other;
  const hasSubNorms = config.normPlacement === "sub";
  if (isFloat(config) && !hasSubNorms) return { architectures: ["LlamaForCausalLM"], model_type: "llama" };
  const quantized = isTransformersBitnet(config);
  if (!hasSubNorms || !(quantized || isFloat(config))) return other;
  return {
    architectures: ["BitNetForCausalLM"],
    model_type: "bitnet",
    ...(quantized ? { quantization_config: quantizationConfigJson(false) } : {}),
  };
}

/** config.json of a checkpoint of ours: all keys of the model, and what Hugging Face needs to know its type. */
export function modelConfigJson(config: ModelConfig, tokenizer: Tokenizer | null): Json {
  const keys: Required<Omit<ModelConfigJson, "use_sub_norms">> = {
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
  };
  return {
    ...transformersKeys(config),
    torch_dtype: "float32",
    bos_token_id: tokenizer?.bosTokenId ?? null,
    eos_token_id: tokenizer?.eosTokenId ?? null,
    ...keys,
  };
}
