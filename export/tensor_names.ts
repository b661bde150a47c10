/**
 * The tensors of a model: Hugging Face's parameter names (checkpoints) beside llama.cpp's names (GGUF files), with
 * their shapes, from the configuration alone.
 */
import type { ModelConfig } from "../src/config/model_config.ts";

/**
 * What a tensor is to the exporter: `linear` matrices are quantized, the `embedding` (which is also a tied head) has
 * a type of its own, the untied `head` and the `norm` gains stay float32, as in the training forward.
 */
export type TensorRole = "embedding" | "linear" | "norm" | "head";

export interface ModelTensor {
  /** Name in the checkpoint. */
  parameter: string;
  /** Name in a GGUF file. */
  ggufName: string;
  role: TensorRole;
  /** Row-major: [out, in], or [size]. */
  shape: readonly number[];
}

/** Every tensor of the model, in file order: embedding, layers, final norm, head. */
export function modelTensors(config: ModelConfig): ModelTensor[] {
  const { hiddenSize: hidden, intermediateSize: ffn, headDim } = config;
  const queries = config.numAttentionHeads * headDim;
  const keys = config.numKeyValueHeads * headDim;
  const tensors: ModelTensor[] = [];
  const add = (role: TensorRole, parameter: string, ggufName: string, ...shape: number[]) => {
    tensors.push({ role, parameter: `${parameter}.weight`, ggufName: `${ggufName}.weight`, shape });
  };

  add("embedding", "model.embed_tokens", "token_embd", config.vocabSize, hidden);
  for (let layer = 0; layer < config.numHiddenLayers; layer++) {
    const from = `model.layers.${layer}`;
    const to = `blk.${layer}`;
    add("norm", `${from}.input_layernorm`, `${to}.attn_norm`, hidden);
    add("linear", `${from}.self_attn.q_proj`, `${to}.attn_q`, queries, hidden);
    add("linear", `${from}.self_attn.k_proj`, `${to}.attn_k`, keys, hidden);
    add("linear", `${from}.self_attn.v_proj`, `${to}.attn_v`, keys, hidden);
    if (config.useSubNorms) add("norm", `${from}.self_attn.attn_sub_norm`, `${to}.attn_sub_norm`, queries);
    add("linear", `${from}.self_attn.o_proj`, `${to}.attn_output`, hidden, queries);
    add("norm", `${from}.post_attention_layernorm`, `${to}.ffn_norm`, hidden);
    add("linear", `${from}.mlp.gate_proj`, `${to}.ffn_gate`, ffn, hidden);
    add("linear", `${from}.mlp.up_proj`, `${to}.ffn_up`, ffn, hidden);
    if (config.useSubNorms) add("norm", `${from}.mlp.ffn_sub_norm`, `${to}.ffn_sub_norm`, ffn);
    add("linear", `${from}.mlp.down_proj`, `${to}.ffn_down`, hidden, ffn);
  }
  add("norm", "model.norm", "output_norm", hidden);
  if (!config.tieWordEmbeddings) add("head", "lm_head", "output", config.vocabSize, hidden);
  return tensors;
}

/** Rotary embedding pairs element i with i + head_dim / 2 (NEOX) or with i + 1 (interleaved, `llama` files). */
export type RopeLayout = "rotate_half" | "interleaved";

/**
 * For each row of a q or k projection in an interleaved file, the row of the checkpoint that belongs there:
 * row 2 i + j of a head is its row i + j * head_dim / 2.
 */
export function interleavedRowOrder(rows: number, headDim: number): Int32Array {
  const order = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const head = row - (row % headDim);
    const inHead = row % headDim;
    order[row] = head + (inHead >> 1) + (inHead & 1) * (headDim / 2);
  }
  return order;
}

/** True for the projections that rotary embedding turns. */
export function isRotated(tensor: ModelTensor): boolean {
  return /\.(q|k)_proj\.weight$/.test(tensor.parameter);
}
