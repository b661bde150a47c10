/**
 * config.json of a checkpoint: ours (every key of `model_config.ts`) or Hugging Face's for `BitNetForCausalLM` and
 * `LlamaForCausalLM`. What this code would compute differently from the file's author is refused, not ignored.
 */
import {
  type ModelConfig,
  ModelConfigError,
  type ModelConfigJson,
  modelConfigSchema,
  resolveModelConfig,
} from "../config/model_config.ts";
import { isFloat, isLlamaShaped, isQuantized } from "../config/model_quantizers.ts";
import { ofMember } from "../config/schema_errors.ts";
import { embeddingName, headName } from "../model/parameters.ts";
import { defaultActivationQuantizer, defaultWeightQuantizer } from "../quantizers/registry.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { CheckpointError } from "./checkpoint_error.ts";
import { scaleName } from "./packed_ternary.ts";
import type { SafetensorsDtype } from "./safetensors_header.ts";

type Json = Record<string, unknown>;

/** The stored type of a tensor of the checkpoint; undefined if it has none of that name. */
export type TensorDtype = (name: string) => SafetensorsDtype | undefined;

/** Keys that Hugging Face's files and ours share. */
const sharedKeys = [
  "hidden_size",
  "num_hidden_layers",
  "intermediate_size",
  "num_attention_heads",
  "num_key_value_heads",
  "head_dim",
  "vocab_size",
  "max_position_embeddings",
  "rms_norm_eps",
  "hidden_act",
  "initializer_range",
] as const;

/** What the model type says about keys that the file does not have. */
const typeDefaults: Record<string, Partial<ModelConfigJson>> = {
  bitnet: { scale_dtype: "f32", embedding_dtype: "f32" },
  llama: {
    rope_theta: 10000,
    rms_norm_eps: 1e-6,
    max_position_embeddings: 2048,
    hidden_act: "silu",
    use_sub_norms: false,
    weight_quantizer: "none",
    activation_quantizer: "none",
    scale_dtype: "f32",
    embedding_dtype: "f32",
  },
};

const bitnetLayers: Partial<ModelConfigJson> = {
  weight_quantizer: defaultWeightQuantizer,
  activation_quantizer: defaultActivationQuantizer,
};

function ropeTheta(json: Json): number | undefined {
  const parameters = (json.rope_parameters ?? json.rope_scaling ?? {}) as Json;
  const type = parameters.rope_type ?? parameters.type ?? "default";
  if (type !== "default") throw new CheckpointError(`rope type "${type}" is not supported, only "default"`);
  return (parameters.rope_theta ?? json.rope_theta) as number | undefined;
}

/** Keys that change what a model computes, and their only values that do not. */
const neutralKeys: [key: string, isNeutral: (value: unknown) => boolean][] = [
  ["attention_bias", (value) => !value],
  ["mlp_bias", (value) => !value],
  ["sliding_window", (value) => value === null || value === 0],
  ["partial_rotary_factor", (value) => value === 1],
];

/** True if the linear layers are BitNet's, whatever the model around them. */
function hasBitnetLayers(json: Json): boolean {
  const quantization = json.quantization_config as Json | undefined | null;
  if (quantization === undefined || quantization === null) return false;
  const { quant_method: method, use_rms_norm: rmsNorm, modules_to_not_convert: kept } = quantization;
  if (method !== "bitnet") {
    throw new CheckpointError(`quantization_config.quant_method "${method}" is not supported, only "bitnet"`);
  }
  if (rmsNorm) throw new CheckpointError("quantization_config.use_rms_norm is not supported: it adds norms");
  const others = Array.isArray(kept) ? kept.filter((name) => name !== "lm_head") : [];
  if (others.length > 0) {
    throw new CheckpointError(
      `quantization_config.modules_to_not_convert: "${others[0]}" is not supported, only lm_head`,
    );
  }
  return true;
}

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

/** Hugging Face's keys to ours. */
function fromHuggingFace(json: Json, tensorDtype: TensorDtype): Json {
  const [architecture] = Array.isArray(json.architectures) ? json.architectures : [];
  const type = json.model_type ?? (architecture === "LlamaForCausalLM" ? "llama" : "bitnet");
  const defaults = Object.hasOwn(typeDefaults, String(type)) ? typeDefaults[String(type)] : undefined;
  if (!defaults) throw new CheckpointError(`model_type "${type}" is not supported, only bitnet and llama`);
  for (const [key, isNeutral] of neutralKeys) {
    if (json[key] !== undefined && !isNeutral(json[key])) {
      throw new CheckpointError(`${key} ${JSON.stringify(json[key])} is not supported: it changes the model`);
    }
  }
  const own: Json = { ...defaults, ...storedDtypes(json, tensorDtype) };
  if (hasBitnetLayers(json)) Object.assign(own, bitnetLayers);
  for (const key of sharedKeys) {
    if (json[key] !== undefined && json[key] !== null) own[key] = json[key];
  }
  const theta = ropeTheta(json);
  if (theta !== undefined) own.rope_theta = theta;
  // Hugging Face leaves the key out where it has the class's default, which has changed: the tensors decide.
  own.tie_word_embeddings = json.tie_word_embeddings ?? tensorDtype(headName) === undefined;
  return own;
}

/** Our own keys; the others of the file are for other readers. */
function ownKeys(json: Json): Json {
  return Object.fromEntries(Object.entries(json).filter(([key]) => Object.hasOwn(modelConfigSchema.shape, key)));
}

/**
 * The model configuration of a parsed config.json.
 * @param tensorDtype the stored types of the checkpoint, for keys that Hugging Face does not have
 * @throws {CheckpointError} with the key that is wrong or not supported.
 */
export function readModelConfig(json: unknown, tensorDtype: TensorDtype): ModelConfig {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new CheckpointError("not a JSON object");
  }
  const file = json as Json;
  // Only our files name their quantizers.
  const own = "weight_quantizer" in file ? ownKeys(file) : fromHuggingFace(file, tensorDtype);
  const parsed = modelConfigSchema.safeParse(own);
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

/** AutoBitLinear's configuration in transformers: packed codes (offline), or latent weights that it quantizes itself. */
export function quantizationConfigJson(packed: boolean): Json {
  return {
    quant_method: "bitnet",
    linear_class: "autobitlinear",
    quantization_mode: packed ? "offline" : "online",
    modules_to_not_convert: ["lm_head"],
  };
}

/**
 * What transformers takes the model for. A model that none of its classes computes gets a type that it does not know: it
 * would load the weights and run another model without a word.
 */
function transformersKeys(config: ModelConfig): Json {
  if (isLlamaShaped(config)) return { architectures: ["LlamaForCausalLM"], model_type: "llama" };
  const quantized = isQuantized(config);
  if (!config.useSubNorms || !(quantized || isFloat(config))) return { model_type: "bitnet-lab" };
  return {
    architectures: ["BitNetForCausalLM"],
    model_type: "bitnet",
    ...(quantized ? { quantization_config: quantizationConfigJson(false) } : {}),
  };
}

/** config.json of a checkpoint of ours: all keys of the model, and what Hugging Face needs to know its type. */
export function modelConfigJson(config: ModelConfig, tokenizer: Tokenizer | null): Json {
  const keys: Required<ModelConfigJson> = {
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
    use_sub_norms: config.useSubNorms,
    tie_word_embeddings: config.tieWordEmbeddings,
    initializer_range: config.initializerRange,
    weight_quantizer: config.weightQuantizer,
    activation_quantizer: config.activationQuantizer,
    scale_dtype: config.scaleDtype,
    embedding_dtype: config.embeddingDtype,
  };
  return {
    ...transformersKeys(config),
    torch_dtype: "float32",
    bos_token_id: tokenizer?.bosTokenId ?? null,
    eos_token_id: tokenizer?.eosTokenId ?? null,
    ...keys,
  };
}
