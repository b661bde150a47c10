/**
 * The model that the keys and tensors of a GGUF file say, in the words of a recipe: the way back of export/model_metadata.ts,
 * and what other programs write. Twin of native/cc/inference/model_config.cc, which refuses what is not computed.
 */
import { families } from "../../config/families/families.ts";
import { fixedKeys, type ModelFamily } from "../../config/families/family.ts";
import type { HiddenAct, ModelConfigJson } from "../../config/model_config.ts";
import { type RopeScaling, rotaryOf } from "../../config/rope_scaling.ts";
import type { GgufFile } from "../../gguf/gguf_reader.ts";
import { GgufError } from "../../gguf/gguf_types.ts";
import type { MetadataKeys } from "./metadata_keys.ts";

/** `general.architecture` of models that only our engine computes. */
export const ownArchitecture = "bitnet-lab";

/** All but the quantizers, and what embedding and head are. */
export type GraphAndShape = Omit<
  ModelConfigJson,
  "weight_quantizer" | "activation_quantizer" | "scale_dtype" | "embedding_dtype" | "embedding_quantizer"
>;

export interface ArchitectureOfFile {
  /** Null: a graph of our own, which keys describe. */
  family: ModelFamily | null;
  hiddenAct: HiddenAct | undefined;
  /** Rows of q and k stand as llama.cpp rotates them (tensor_names.ts). */
  interleaved: boolean;
}

/** Other names of an architecture. */
const aliases: Record<string, string> = { "bitnet-25": "bitnet-b1.58" };

/** Graph of which only the activation matters to the name. */
const anyGraph = {
  norm_placement: "pre",
  feed_forward: "gated",
  use_hadamard: false,
  qk_norm: false,
  attention_bias: "none",
  mlp_bias: false,
  sliding_window: false,
  embedding_multiplier: "none",
} as const;

/** @throws {GgufError} if nothing is known of the architecture. */
export function architectureOfFile(keys: MetadataKeys): ArchitectureOfFile {
  const { architecture } = keys;
  const name = aliases[architecture] ?? architecture;
  if (name === ownArchitecture) return { family: null, hiddenAct: undefined, interleaved: false };
  for (const family of families) {
    const hiddenAct = family.graph.hidden_act.find(
      (hidden_act) => family.architecture({ ...anyGraph, hidden_act }) === name,
    );
    if (hiddenAct !== undefined) return { family, hiddenAct, interleaved: name === "llama" };
  }
  return keys.fail("general.architecture", `is ${architecture}, which is not read`);
}

/** @throws {GgufError} naming the key that is missing, or says what is not computed here. */
export function graphAndShape(file: GgufFile, keys: MetadataKeys, of: ArchitectureOfFile): GraphAndShape {
  const own = (key: string) => keys.own(key);
  const heads = keys.required(own("attention.head_count"));
  const hiddenSize = keys.required(own("embedding_length"));
  const headDim = headSize(keys, hiddenSize / heads);
  refuseOthers(keys);
  const has = (name: string) => file.tensors.some((tensor) => tensor.name === name);
  const theta = keys.decimal(own("rope.freq_base")) ?? 10000;
  const scaling = ropeScaling(keys);
  return {
    hidden_size: hiddenSize,
    num_hidden_layers: keys.required(own("block_count")),
    intermediate_size: keys.required(own("feed_forward_length")),
    num_attention_heads: heads,
    num_key_value_heads: keys.number(own("attention.head_count_kv")) ?? heads,
    head_dim: headDim,
    vocab_size: file.info("token_embd.weight").shape[0],
    max_position_embeddings: keys.required(own("context_length")),
    rms_norm_eps: keys.decimal(own("attention.layer_norm_rms_epsilon")) ?? 1e-5,
    rope_theta: theta,
    ...(scaling && { rope_scaling: scaling }),
    tie_word_embeddings: !has("output.weight"),
    ...(of.family === null ? ownGraph(keys) : { ...fixedKeys(of.family), hidden_act: of.hiddenAct }),
    ...biases(has),
    ...windows(keys, of.family, hiddenSize),
  };
}

function headSize(keys: MetadataKeys, byWidth: number): number {
  const [rotary, key, value] = ["rope.dimension_count", "attention.key_length", "attention.value_length"].map((name) =>
    keys.number(keys.own(name)),
  );
  const size = key ?? rotary ?? byWidth;
  if ((value ?? size) !== size) keys.fail(keys.own("attention.value_length"), `is ${value}, and keys have ${size}`);
  if ((rotary ?? size) !== size) keys.fail(keys.own("rope.dimension_count"), `is ${rotary} of ${size}: a partial RoPE`);
  return size;
}

/** Keys that switch something on which no graph here has: with one of these values, they do not. */
const neutralKeys: readonly (readonly [string, ...number[]])[] = [
  ["expert_count", 0],
  ["attn_logit_softcapping", 0],
  ["final_logit_softcapping", 0],
  ["logit_scale", 0, 1],
  ["residual_scale", 0, 1],
  ["attention.scale", 0],
  ["attention.clamp_kqv", 0],
  ["rope.scale_linear", 0, 1],
  ["rope.scaling.attn_factor", 1],
];

function refuseOthers(keys: MetadataKeys): void {
  for (const [name, ...neutral] of neutralKeys) {
    const value = keys.number(keys.own(name));
    if (value !== undefined && !neutral.includes(value)) {
      keys.fail(keys.own(name), `is ${value}: no graph here has anything of the kind`);
    }
  }
}

/** The graph of `general.architecture` bitnet-lab. */
function ownGraph(keys: MetadataKeys): Partial<GraphAndShape> {
  const subNorms = keys.flag("bitnet-lab.use_sub_norms");
  return {
    hidden_act: keys.word("bitnet-lab.hidden_act") as HiddenAct | undefined,
    norm_placement: (keys.word("bitnet-lab.norm_placement") ??
      (subNorms === false ? "pre" : "sub")) as GraphAndShape["norm_placement"],
    feed_forward: (keys.word("bitnet-lab.feed_forward") ?? "gated") as GraphAndShape["feed_forward"],
    use_hadamard: keys.flag("bitnet-lab.use_hadamard") ?? false,
    qk_norm: keys.flag("bitnet-lab.qk_norm") ?? false,
  };
}

/** By the tensors of the first layer: no key says it. */
function biases(has: (name: string) => boolean): Partial<GraphAndShape> {
  const ofAttention = has("blk.0.attn_q.bias");
  const ofOutput = has("blk.0.attn_output.bias");
  return {
    ...(ofAttention && (ofOutput ? { attention_bias: true } : { qkv_bias: true })),
    ...(has("blk.0.ffn_up.bias") && { mlp_bias: true }),
  };
}

function windows(keys: MetadataKeys, family: ModelFamily | null, hiddenSize: number): Partial<GraphAndShape> {
  const ofFamily = family?.graph.sliding_window.includes(true) === true;
  const scaled = family?.graph.embedding_multiplier.includes("root of hidden_size") === true;
  const key = keys.own("attention.sliding_window");
  const window = keys.number(key) || undefined;
  if (window !== undefined && family !== null && !ofFamily) {
    keys.fail(key, `is ${window}, and the family has none`);
  }
  const multiplier = scaled ? Math.fround(Math.sqrt(hiddenSize)) : keys.number(keys.own("embedding_scale"));
  return {
    ...(multiplier !== undefined && multiplier !== 1 && { embedding_multiplier: multiplier }),
    ...(window !== undefined && {
      sliding_window: window,
      sliding_window_pattern: keys.number(`${key}_pattern`) ?? 6,
      rope_local_theta: keys.decimal(keys.own("rope.freq_base_swa")) ?? 10000,
    }),
  };
}

/** Scalings of published models, whose factors are all that a file has of them (Llama 3.1 and 3.2). */
const llama3Scalings = [8, 32].map(
  (factor): RopeScaling => ({
    type: "llama3",
    factor,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  }),
);

function ropeScaling(keys: MetadataKeys): RopeScaling | undefined {
  const key = (name: string) => keys.own(`rope.scaling.${name}`);
  const type = keys.word(key("type")) ?? "linear";
  const factor = type === "none" ? 1 : (keys.decimal(key("factor")) ?? 1);
  if (factor === 1 || factor === 0) return undefined;
  if (type === "linear") return { type, factor };
  if (type !== "yarn") return keys.fail(key("type"), `is ${type}, which is not read`);
  return {
    type,
    factor,
    original_max_position_embeddings: keys.required(key("original_context_length")),
    beta_fast: keys.decimal(key("yarn_beta_fast")) ?? 32,
    beta_slow: keys.decimal(key("yarn_beta_slow")) ?? 1,
  };
}

/**
 * The scaling whose factors `rope_freqs.weight` holds.
 * @throws {GgufError} if it is none that is known: the numbers that made the factors are not in the file.
 */
export function scalingOfFactors(path: string, factors: Float32Array, theta: number): RopeScaling {
  const isMade = (scaling: RopeScaling) => {
    const made = rotaryOf(theta, scaling, 2 * factors.length).factors;
    return factors.every((factor, i) => Math.abs(factor - made[i]) <= 1e-6 * factor);
  };
  const found = llama3Scalings.find(isMade);
  if (found !== undefined) return found;
  throw new GgufError(`${path}: rope_freqs.weight holds factors of RoPE that are not those of Llama 3.1 or 3.2`);
}
