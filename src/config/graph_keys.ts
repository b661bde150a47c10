/**
 * The keys that say which graph a decoder layer is: where its norms stand, what its feed-forward block is made of, which
 * products have a bias, how positions are rotated, and whether a Hadamard transform stands before the last projections.
 * Defaults are BitNet b1.58 2B4T's. `families` says which models of other programs have which of them.
 */
import { z } from "zod";
import { type RopeScaling, ropeScalingProblem, ropeScalingSchema } from "./rope_scaling.ts";

/**
 * `pre`: before attention and feed-forward only (TriLM, arXiv 2407.12327). `sub`: sub-norms before o_proj and down_proj too
 * (BitNet b1.58 2B4T, arXiv 2504.12285). `every_linear`: every linear layer has a norm of its own, and the blocks have none
 * ("Remove RMSNorm before attention and SwiGLU because BitLinear has built-in RMSNorm": BitNet b1.58's "Training Tips, Code
 * and FAQ"). `pre_post`: before attention and feed-forward, and after them, before the residual (Gemma 2, arXiv 2408.00118).
 */
export const normPlacements = ["pre", "sub", "every_linear", "pre_post"] as const;
export type NormPlacement = (typeof normPlacements)[number];

const feedForwards = ["gated", "mlp"] as const;
export type FeedForward = (typeof feedForwards)[number];

export const graphKeys = {
  norm_placement: z
    .enum(normPlacements)
    .optional()
    .describe(
      "Where RMSNorm stands. `pre`: before attention and feed-forward. `sub`: also `attn_sub_norm` before o_proj and " +
        "`ffn_sub_norm` before down_proj. `every_linear`: `rms_norm` in every linear layer instead. " +
        "`pre_post`: as `pre`, and after attention and feed-forward. By default `sub`.",
    ),
  use_sub_norms: z
    .boolean()
    .optional()
    .describe("Earlier name: `true` is `norm_placement: sub`, `false` is `norm_placement: pre`."),
  feed_forward: z
    .enum(feedForwards)
    .default("gated")
    .describe("`gated`: down(act(gate) * up). `mlp`: down(act(up)), without gate_proj; `hidden_act: relu2` only."),
  use_hadamard: z
    .boolean()
    .default(false)
    .describe(
      "Hadamard transform of the inputs of o_proj and down_proj, after their norm and before their quantizer " +
        "(BitNet v2), in blocks of the largest power of two that divides the width.",
    ),
  qk_norm: z
    .boolean()
    .default(false)
    .describe("RMSNorm of each query and key head, before its rotation (Qwen3): one gain for all heads."),
  attention_bias: z.boolean().default(false).describe("Biases of q, k, v and o projections."),
  qkv_bias: z.boolean().default(false).describe("Biases of q, k and v projections alone (Qwen2)."),
  mlp_bias: z.boolean().default(false).describe("Biases of the feed-forward projections."),
  sliding_window: z
    .number()
    .int()
    .positive()
    .optional()
    .describe("Positions that a token sees in most layers, itself included (Gemma 3); left out: all, in every layer."),
  sliding_window_pattern: z
    .number()
    .int()
    .positive()
    .default(6)
    .describe("With `sliding_window`: every layer of that number, counted from 1, sees all positions."),
  rope_local_theta: z
    .number()
    .positive()
    .default(10000)
    .describe("With `sliding_window`: base of the rotary embedding of the other layers, which is not scaled."),
  embedding_multiplier: z
    .number()
    .positive()
    .default(1)
    .describe("What multiplies the embeddings that are looked up (Gemma: the square root of `hidden_size`)."),
  rope_scaling: ropeScalingSchema
    .optional()
    .describe("Rotary embedding for a context longer than the one that was trained first; left out: none."),
};

/** Which projections of the attention have a bias. */
export type AttentionBias = "none" | "qkv" | "all";

interface NormKeys {
  norm_placement?: NormPlacement;
  use_sub_norms?: boolean;
}

/** The keys with the placement in its name of today. Two names that contradict each other stay, to be refused. */
export function withNormPlacement<Keys extends NormKeys>(keys: Keys): Keys & { norm_placement: NormPlacement } {
  const { norm_placement: placement, use_sub_norms: subNorms, ...others } = keys;
  const named = subNorms === undefined ? undefined : subNorms ? "sub" : "pre";
  if (placement !== undefined && named !== undefined && placement !== named) {
    return keys as Keys & { norm_placement: NormPlacement };
  }
  return { ...others, norm_placement: placement ?? named ?? "sub" } as Keys & { norm_placement: NormPlacement };
}

interface ResolvedGraph extends NormKeys {
  feed_forward: FeedForward;
  use_hadamard: boolean;
  hidden_act: string;
  intermediate_size: number;
  attention_bias: boolean;
  qkv_bias: boolean;
  rope_scaling?: RopeScaling;
}

/** The two keys as one value. */
export function attentionBiasOf(json: Pick<ResolvedGraph, "attention_bias" | "qkv_bias">): AttentionBias {
  return json.attention_bias ? "all" : json.qkv_bias ? "qkv" : "none";
}

/** Why no model has these keys, or null. */
export function graphProblem(json: ResolvedGraph): string | null {
  if (json.use_sub_norms !== undefined) {
    return `use_sub_norms: ${json.use_sub_norms} contradicts norm_placement: ${json.norm_placement}; leave use_sub_norms out`;
  }
  if (json.feed_forward === "mlp" && json.hidden_act !== "relu2") {
    return `feed_forward: mlp needs hidden_act: relu2, not ${json.hidden_act}`;
  }
  if (json.use_hadamard && json.intermediate_size % 2 !== 0) {
    return `use_hadamard needs an even intermediate_size, not ${json.intermediate_size}`;
  }
  if (json.attention_bias && json.qkv_bias) {
    return "attention_bias: true has the biases of q, k and v already; leave qkv_bias out";
  }
  return ropeScalingProblem(json.rope_scaling);
}
