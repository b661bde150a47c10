/**
 * Qwen3 (arXiv 2505.09388): a Llama with RMSNorm of each query and key head before its rotation, and heads of 128 whatever
 * the width. Ternary-Bonsai and Neutrino-1 are Qwen3s with ternary weights.
 */
import { type ModelFamily, plainGraph } from "./family.ts";

export const qwen3: ModelFamily = {
  modelType: "qwen3",
  className: "Qwen3ForCausalLM",
  architecture: () => "qwen3",
  graph: { ...plainGraph, qk_norm: [true], attention_bias: ["none", "all"] },
  defaults: {
    head_dim: 128,
    max_position_embeddings: 32768,
    rope_theta: 10000,
    rms_norm_eps: 1e-6,
    hidden_act: "silu",
  },
};
