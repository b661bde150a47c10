/**
 * Llama (arXiv 2302.13971): the plain decoder, with biases if the file says so. Its 1.58-bit relatives are Falcon-E,
 * Falcon3-1.58bit, Llama3-8B-1.58 and TriLM. transformers computes whatever activation the file names.
 */
import { type ModelFamily, plainGraph } from "./family.ts";

export const llama: ModelFamily = {
  modelType: "llama",
  className: "LlamaForCausalLM",
  architecture: ({ hidden_act }) => (hidden_act === "silu" ? "llama" : null),
  graph: {
    ...plainGraph,
    hidden_act: ["silu", "relu2"],
    attention_bias: ["none", "all"],
    mlp_bias: [false, true],
  },
  defaults: { max_position_embeddings: 2048, rope_theta: 10000, rms_norm_eps: 1e-6, hidden_act: "silu" },
};
