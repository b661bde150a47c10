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
import { headName } from "../model/parameters.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { CheckpointError } from "./checkpoint_error.ts";

type Json = Record<string, unknown>;

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

function ropeTheta(json: Json): number | undefined {
  const parameters = (json.rope_parameters ?? json.rope_scaling ?? {}) as Json;
  const type = parameters.rope_type ?? parameters.type ?? "default";
  if (type !== "default") throw new CheckpointError(`rope type "${type}" is not supported, only "default"`);
  return (parameters.rope_theta ?? json.rope_theta) as number | undefined;
}

/** Hugging Face's keys to ours. */
function fromHuggingFace(json: Json, hasTensor: (name: string) => boolean): Json {
  const [architecture] = Array.isArray(json.architectures) ? json.architectures : [];
  const type = json.model_type ?? (architecture === "LlamaForCausalLM" ? "llama" : "bitnet");
  const defaults = Object.hasOwn(typeDefaults, String(type)) ? typeDefaults[String(type)] : undefined;
  if (!defaults) throw new CheckpointError(`model_type "${type}" is not supported, only bitnet and llama`);
  for (const key of ["attention_bias", "mlp_bias"]) {
    if (json[key]) throw new CheckpointError(`${key} is not supported: the layers have no biases`);
  }
  const own: Json = { ...defaults };
  for (const key of sharedKeys) {
    if (json[key] !== undefined && json[key] !== null) own[key] = json[key];
  }
  const theta = ropeTheta(json);
  if (theta !== undefined) own.rope_theta = theta;
  // Hugging Face leaves the key out where it has the class's default, which has changed: the tensors decide.
  own.tie_word_embeddings = json.tie_word_embeddings ?? !hasTensor(headName);
  return own;
}

/** Our own keys; the others of the file are for other readers. */
function ownKeys(json: Json): Json {
  return Object.fromEntries(Object.entries(json).filter(([key]) => Object.hasOwn(modelConfigSchema.shape, key)));
}

/**
 * The model configuration of a parsed config.json.
 * @param hasTensor whether the checkpoint holds a tensor, for keys that Hugging Face leaves out
 * @throws {CheckpointError} with the key that is wrong or not supported.
 */
export function readModelConfig(json: unknown, hasTensor: (name: string) => boolean): ModelConfig {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new CheckpointError("not a JSON object");
  }
  const file = json as Json;
  // Only our files name their quantizers.
  const own = "weight_quantizer" in file ? ownKeys(file) : fromHuggingFace(file, hasTensor);
  const parsed = modelConfigSchema.safeParse(own);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
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

/** True for a plain Llama: float linears, SiLU, no sub-norms. */
export function isLlamaShaped(config: ModelConfig): boolean {
  return (
    config.weightQuantizer === "none" &&
    config.activationQuantizer === "none" &&
    config.hiddenAct === "silu" &&
    !config.useSubNorms
  );
}

/** config.json of a checkpoint of ours: all keys of the model, and what Hugging Face needs to know its type. */
export function modelConfigJson(config: ModelConfig, tokenizer: Tokenizer | null): Json {
  const llama = isLlamaShaped(config);
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
    architectures: [llama ? "LlamaForCausalLM" : "BitNetForCausalLM"],
    model_type: llama ? "llama" : "bitnet",
    torch_dtype: "float32",
    bos_token_id: tokenizer?.bosTokenId ?? null,
    eos_token_id: tokenizer?.eosTokenId ?? null,
    ...keys,
  };
}
