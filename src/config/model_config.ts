/**
 * Configuration of a decoder language model: Hugging Face's BitNet keys on disk (snake_case), the same words in
 * camelCase in TypeScript. Keys that Hugging Face does not have (quantizers, `scale_dtype`, `embedding_dtype`, those of
 * graph_keys.ts) are ours; a missing one takes the BitNet b1.58 2B4T value.
 */
import { z } from "zod";
import { UserError } from "../errors/user_error.ts";
import { type EmbeddingDtype, type ScaleDtype, scaleDtypes } from "../quant/dtypes.ts";
import {
  activationQuantizerSchema,
  defaultActivationQuantizer,
  defaultWeightQuantizer,
  makeWeightQuantizer,
  type QuantizerDescription,
  weightQuantizerSchema,
} from "../quantizers/registry.ts";
import type { WeightQuantizer } from "../quantizers/weight_quantizer.ts";
import { embeddingKeys, embeddingProblem } from "./embedding_keys.ts";
import {
  type AttentionBias,
  attentionBiasOf,
  type FeedForward,
  graphKeys,
  graphProblem,
  type NormPlacement,
  withNormPlacement,
} from "./graph_keys.ts";
import type { RopeScaling } from "./rope_scaling.ts";
import { rowLengths } from "./row_lengths.ts";

export const hiddenActs = ["relu2", "silu", "gelu_tanh"] as const;

export type HiddenAct = (typeof hiddenActs)[number];

const count = z.number().int().positive();

const keys = z.strictObject({
  hidden_size: count.describe("Width of the residual stream. Packed types want multiples of 256 (or 128)."),
  num_hidden_layers: count.describe("Decoder layers."),
  intermediate_size: count.describe("Width inside the feed-forward block."),
  num_attention_heads: count.describe("Query heads."),
  num_key_value_heads: count
    .optional()
    .describe(
      "Key / value heads; each serves `num_attention_heads / num_key_value_heads` query heads. By default as many.",
    ),
  head_dim: count.optional().describe("Width of a head, even; by default `hidden_size / num_attention_heads`."),
  vocab_size: z
    .number()
    .int()
    .nonnegative()
    .default(0)
    .describe("Rows of the embedding; 0 in a recipe: as many as the tokenizer has."),
  max_position_embeddings: count.default(4096).describe("Positions that the model can be asked for."),
  rms_norm_eps: z.number().positive().default(1e-5).describe("Added to the mean square in RMSNorm."),
  rope_theta: z.number().positive().default(500000).describe("Base of the rotary embedding's wavelengths."),
  hidden_act: z
    .enum(hiddenActs)
    .default("relu2")
    .describe("Activation of the gate: squared ReLU (BitNet b1.58 2B4T), SiLU (Llama) or GELU by tanh (Gemma)."),
  ...graphKeys,
  tie_word_embeddings: z.boolean().default(true).describe("The head is the embedding, not a matrix of its own."),
  initializer_range: z.number().positive().default(0.02).describe("Standard deviation of the initial weights."),
  weight_quantizer: weightQuantizerSchema
    .default(defaultWeightQuantizer)
    .describe("Of the linear layers' weights: a name, or a section of `type` and its options."),
  activation_quantizer: activationQuantizerSchema
    .default(defaultActivationQuantizer)
    .describe("Of the linear layers' inputs: a name, or a section of `type` and its options."),
  scale_dtype: z
    .enum(scaleDtypes)
    .default("f16")
    .describe("Type that the multiplying weight scales are rounded to, in the training forward too."),
  ...embeddingKeys,
});

/** Every on-disk key. */
export const modelConfigKeys: readonly string[] = Object.keys(keys.shape);

/** Schema of the on-disk keys. Strict: an unknown key is an error (see `schema_errors.ts` for the wording). */
export const modelConfigSchema = keys
  .transform(withNormPlacement)
  .describe("A decoder language model, with Hugging Face's keys (config.json has the same).");

/** On-disk form, keys in snake_case. */
export type ModelConfigJson = z.input<typeof modelConfigSchema>;

/** Resolved configuration: every field present. */
export interface ModelConfig {
  hiddenSize: number;
  numHiddenLayers: number;
  intermediateSize: number;
  numAttentionHeads: number;
  numKeyValueHeads: number;
  headDim: number;
  vocabSize: number;
  maxPositionEmbeddings: number;
  rmsNormEps: number;
  ropeTheta: number;
  hiddenAct: HiddenAct;
  normPlacement: NormPlacement;
  feedForward: FeedForward;
  useHadamard: boolean;
  qkNorm: boolean;
  attentionBias: AttentionBias;
  mlpBias: boolean;
  ropeScaling: RopeScaling | null;
  /** Layers that do not see all positions; null: there are none. */
  slidingWindow: SlidingWindow | null;
  /** A float32 value. */
  embeddingMultiplier: number;
  tieWordEmbeddings: boolean;
  initializerRange: number;
  /** As config.json names it; `weightQuantizerOf` (model_quantizers.ts) makes the value. */
  weightQuantizer: QuantizerDescription;
  activationQuantizer: QuantizerDescription;
  scaleDtype: ScaleDtype;
  embeddingDtype: EmbeddingDtype;
  /** `embeddingQuantizerOf` (embedding_keys.ts) makes the value. */
  embeddingQuantizer: QuantizerDescription;
}

/** What most layers see. */
export interface SlidingWindow {
  /** Positions, the token itself included. */
  size: number;
  /** Every layer of that number, counted from 1, sees all. */
  pattern: number;
  /** Base of the rotary embedding of layers with the window. */
  ropeTheta: number;
}

/** The window of layer `index`, from 0; null: it sees all positions. */
export function windowOf({ slidingWindow }: Pick<ModelConfig, "slidingWindow">, index: number): SlidingWindow | null {
  return slidingWindow !== null && (index + 1) % slidingWindow.pattern !== 0 ? slidingWindow : null;
}

/** A configuration that no model can have: names the key and the rule. */
export class ModelConfigError extends UserError {
  override name = "ModelConfigError";
}

/**
 * Resolves defaults and checks the rules between keys.
 * @throws {ModelConfigError} if the heads do not divide, head_dim is odd, or rows are no whole groups of a scale.
 */
export function resolveModelConfig(json: z.output<typeof modelConfigSchema>): ModelConfig {
  const heads = json.num_attention_heads;
  const kvHeads = json.num_key_value_heads ?? heads;
  if (heads % kvHeads !== 0) {
    throw new ModelConfigError(`num_key_value_heads (${kvHeads}) must divide num_attention_heads (${heads})`);
  }
  if (json.head_dim === undefined && json.hidden_size % heads !== 0) {
    throw new ModelConfigError(
      `num_attention_heads (${heads}) must divide hidden_size (${json.hidden_size}), or set head_dim`,
    );
  }
  const graph = graphProblem(json);
  if (graph !== null) throw new ModelConfigError(graph);
  const headDim = json.head_dim ?? json.hidden_size / heads;
  if (headDim % 2 !== 0) throw new ModelConfigError(`head_dim (${headDim}) must be even for rotary embedding`);
  const embedding = embeddingProblem(json);
  if (embedding !== null) throw new ModelConfigError(embedding);
  const config: ModelConfig = {
    hiddenSize: json.hidden_size,
    numHiddenLayers: json.num_hidden_layers,
    intermediateSize: json.intermediate_size,
    numAttentionHeads: heads,
    numKeyValueHeads: kvHeads,
    headDim,
    vocabSize: json.vocab_size,
    maxPositionEmbeddings: json.max_position_embeddings,
    rmsNormEps: json.rms_norm_eps,
    ropeTheta: json.rope_theta,
    hiddenAct: json.hidden_act,
    normPlacement: json.norm_placement,
    feedForward: json.feed_forward,
    useHadamard: json.use_hadamard,
    qkNorm: json.qk_norm,
    attentionBias: attentionBiasOf(json),
    mlpBias: json.mlp_bias,
    ropeScaling: json.rope_scaling ?? null,
    slidingWindow:
      json.sliding_window === undefined
        ? null
        : { size: json.sliding_window, pattern: json.sliding_window_pattern, ropeTheta: json.rope_local_theta },
    embeddingMultiplier: Math.fround(json.embedding_multiplier),
    tieWordEmbeddings: json.tie_word_embeddings,
    initializerRange: json.initializer_range,
    weightQuantizer: json.weight_quantizer,
    activationQuantizer: json.activation_quantizer,
    scaleDtype: json.scale_dtype,
    embeddingDtype: json.embedding_dtype,
    embeddingQuantizer: json.embedding_quantizer,
  };
  const quantizer = makeWeightQuantizer(config.weightQuantizer, config.scaleDtype);
  checkGroups(config, quantizer);
  if (quantizer?.rowBias !== undefined && (config.attentionBias !== "none" || config.mlpBias)) {
    throw new ModelConfigError(`weight_quantizer ${quantizer.name} adds biases of its own: leave the model's out`);
  }
  return config;
}

/** Groups of a scale, and blocks of codes that are chosen together, are whole in every row. */
function checkGroups(config: ModelConfig, quantizer: WeightQuantizer | null): void {
  if (quantizer === null) return;
  const { name, scales, blockWeights = 1 } = quantizer;
  const group = scales.per === "group" ? scales.size : 1;
  const unfit = rowLengths(config).filter(({ size }) => size % group !== 0 || size % blockWeights !== 0);
  if (unfit.length === 0) return;
  const sizes = unfit.map(({ key, size }) => `${key} (${size})`).join(" and ");
  const { group_size } = config.weightQuantizer as { group_size?: number };
  const keys =
    group_size === undefined ? `weight_quantizer.scale_per (group_${group})` : `weight_quantizer.group_size (${group})`;
  throw new ModelConfigError(
    group > 1
      ? `${keys} must divide ${sizes}`
      : `weight_quantizer ${name} needs multiples of ${blockWeights}, not ${sizes}`,
  );
}
