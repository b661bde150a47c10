/** The configuration of a model as GGUF metadata: llama.cpp's keys under the architecture, and our own. */
import { ownArchitecture } from "../src/checkpoint/gguf/model_keys.ts";
import { familyOf } from "../src/config/families/families.ts";
import { graphOf } from "../src/config/families/family.ts";
import type { ModelConfig } from "../src/config/model_config.ts";
import {
  activationQuantizerOf,
  isFloat,
  isQuantized,
  ownQuantizerKey,
  weightQuantizerOf,
} from "../src/config/model_quantizers.ts";
import type { RopeScaling } from "../src/config/rope_scaling.ts";
import type { GgufValue } from "../src/gguf/gguf_types.ts";
import type { WritableTensorType } from "../src/gguf/types/tensor_type.ts";
import type { EmbeddingDtype } from "../src/quant/dtypes.ts";
import { defaultActivationQuantizer, storedWeightQuantizer } from "../src/quantizers/registry.ts";
import { groupSizeOf } from "../src/quantizers/weight_quantizer.ts";

/** Version of the meaning of the `bitnet-lab.*` keys. */
const keysVersion = 1;

/**
 * The architecture under which other programs compute this model; ours if none does. A BitNet has both quantizers.
 */
export function commonArchitecture(config: ModelConfig): string {
  const family = familyOf(config);
  if (family === null || ownQuantizerKey(config) !== null) return ownArchitecture;
  if (config.normPlacement === "sub" && !isQuantized(config)) return ownArchitecture;
  return family.architecture(graphOf(config)) ?? ownArchitecture;
}

/**
 * The architecture of our own files: the common one, but for ternary `llama`s, whose rows of q and k stand in another order
 * there.
 */
export function architectureOf(config: ModelConfig): string {
  const architecture = commonArchitecture(config);
  return architecture === "llama" && !isFloat(config) ? ownArchitecture : architecture;
}

/** Metadata entries in file order. `name` is the model's, for people. */
export function modelMetadata(
  config: ModelConfig,
  architecture: string,
  name: string,
  linearType: WritableTensorType,
  embeddingDtype: EmbeddingDtype,
): [string, GgufValue][] {
  const weights = weightQuantizerOf(config);
  const activations = activationQuantizerOf(config);
  const string = (value: string): GgufValue => ({ type: "string", value });
  const u32 = (value: number): GgufValue => ({ type: "uint32", value });
  const f32 = (value: number): GgufValue => ({ type: "float32", value });
  const bool = (value: boolean): GgufValue => ({ type: "bool", value });
  const entries: [string, GgufValue][] = [
    ["general.architecture", string(architecture)],
    ["general.type", string("model")],
    ["general.name", string(name)],
    // Readers must not dispatch on it: 40 means two things.
    ["general.file_type", u32(linearType.fileType)],
    ["general.quantization_version", u32(2)],
  ];
  const add = (key: string, value: GgufValue) => entries.push([`${architecture}.${key}`, value]);
  add("vocab_size", u32(config.vocabSize));
  add("context_length", u32(config.maxPositionEmbeddings));
  add("embedding_length", u32(config.hiddenSize));
  add("block_count", u32(config.numHiddenLayers));
  add("feed_forward_length", u32(config.intermediateSize));
  add("attention.head_count", u32(config.numAttentionHeads));
  add("attention.head_count_kv", u32(config.numKeyValueHeads));
  if (config.headDim * config.numAttentionHeads !== config.hiddenSize) {
    add("attention.key_length", u32(config.headDim));
    add("attention.value_length", u32(config.headDim));
  }
  add("attention.layer_norm_rms_epsilon", f32(config.rmsNormEps));
  add("rope.dimension_count", u32(config.headDim));
  add("rope.freq_base", f32(config.ropeTheta));
  const { slidingWindow: window } = config;
  if (window !== null) {
    add("attention.sliding_window", u32(window.size));
    add("attention.sliding_window_pattern", u32(window.pattern));
    add("rope.freq_base_swa", f32(window.ropeTheta));
  }
  if (config.embeddingMultiplier !== 1 && architecture === ownArchitecture) {
    add("embedding_scale", f32(config.embeddingMultiplier));
  }
  for (const [key, value] of scalingMetadata(config.ropeScaling)) add(`rope.scaling.${key}`, value);
  entries.push(
    ["bitnet-lab.version", u32(keysVersion)],
    ["bitnet-lab.weight_quantizer", string(storedWeightQuantizer(weights))],
    ["bitnet-lab.activation_quantizer", string(activations?.codes ?? "none")],
    ["bitnet-lab.scale_dtype", string(config.scaleDtype)],
    ["bitnet-lab.embedding_dtype", string(embeddingDtype)],
    ["bitnet-lab.hidden_act", string(config.hiddenAct)],
    ["bitnet-lab.use_sub_norms", bool(config.normPlacement === "sub")],
  );
  if (embeddingDtype === "int8_row") {
    entries.push(["bitnet-lab.head.activation_quantizer", string(defaultActivationQuantizer)]);
  }
  // What only newer readers know is written where it says something, so that others refuse the model for it.
  if (config.normPlacement === "every_linear" || config.normPlacement === "pre_post") {
    entries.push(["bitnet-lab.norm_placement", string(config.normPlacement)]);
  }
  if (config.feedForward !== "gated") entries.push(["bitnet-lab.feed_forward", string(config.feedForward)]);
  if (activations !== null && activations.keep !== 1) {
    entries.push(["bitnet-lab.activation_keep", { type: "float64", value: activations.keep }]);
  }
  // Blocks of a type repeat the scale of a larger group, and sums over other groups have other bits. (Scales of rows and
  // of the matrix are those of a file without the key.)
  if (weights !== null && weights.product === "ternary_group") {
    entries.push(["bitnet-lab.quantization.scale_group", u32(groupSizeOf(weights))]);
  }
  if (config.useHadamard) entries.push(["bitnet-lab.use_hadamard", bool(true)]);
  if (config.qkNorm && architecture === ownArchitecture) entries.push(["bitnet-lab.qk_norm", bool(true)]);
  return entries;
}

/** Below `rope.scaling`. llama3's scaling is a tensor of factors. */
function scalingMetadata(scaling: RopeScaling | null): [string, GgufValue][] {
  if (scaling === null || scaling.type === "llama3") return [];
  const f32 = (value: number): GgufValue => ({ type: "float32", value });
  const entries: [string, GgufValue][] = [
    ["type", { type: "string", value: scaling.type }],
    ["factor", f32(scaling.factor)],
  ];
  if (scaling.type === "linear") return entries;
  return [
    ...entries,
    ["original_context_length", { type: "uint32", value: scaling.original_max_position_embeddings }],
    ["yarn_beta_fast", f32(scaling.beta_fast)],
    ["yarn_beta_slow", f32(scaling.beta_slow)],
  ];
}
