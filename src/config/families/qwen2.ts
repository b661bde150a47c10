/** Qwen2 and Qwen2.5 (arXiv 2407.10671): a Llama with biases of q, k and v. */
import { type ModelFamily, plainGraph } from "./family.ts";

export const qwen2: ModelFamily = {
  modelType: "qwen2",
  className: "Qwen2ForCausalLM",
  architecture: () => "qwen2",
  graph: { ...plainGraph, attention_bias: ["qkv"] },
  defaults: { max_position_embeddings: 32768, rope_theta: 10000, rms_norm_eps: 1e-6, hidden_act: "silu" },
};
