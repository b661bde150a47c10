/**
 * BitNet b1.58 2B4T (arXiv 2504.12285): sub-norms before o and down, squared ReLU. llama.cpp's `bitnet` is the same with
 * SiLU.
 */
import { type ModelFamily, plainGraph } from "./family.ts";

export const bitnet: ModelFamily = {
  modelType: "bitnet",
  className: "BitNetForCausalLM",
  architecture: ({ hidden_act }) => (hidden_act === "relu2" ? "bitnet-b1.58" : "bitnet"),
  graph: { ...plainGraph, norm_placement: ["sub"], hidden_act: ["relu2", "silu"] },
  defaults: { max_position_embeddings: 2048, rope_theta: 500000, rms_norm_eps: 1e-5, hidden_act: "relu2" },
};
