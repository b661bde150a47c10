/** llama.cpp's tensor names (GGUF files) for Hugging Face's parameter names (checkpoints), and its row order. */
import type { ModelConfig } from "../../config/model_config.ts";
import {
  embeddingName,
  finalNormName,
  headName,
  learntNames,
  modelParameters,
  type ParameterKind,
} from "../../model/parameters.ts";

export interface ModelTensor {
  /** Name in the checkpoint. */
  parameter: string;
  /** Name in a GGUF file. */
  ggufName: string;
  /** `matrix` is quantized; `embedding` (and an untied head) has a type of its own; `norm` stays float32. */
  kind: ParameterKind;
  /** Row-major: [out, in], or [size]. */
  shape: readonly number[];
  /** Names in the checkpoint of what the quantizer has learnt for it. */
  learnt: readonly string[];
}

const modelNames: Record<string, string> = {
  [embeddingName]: "token_embd.weight",
  [finalNormName]: "output_norm.weight",
  [headName]: "output.weight",
};

const layerNames: Record<string, string> = {
  input_layernorm: "attn_norm",
  "self_attn.q_proj": "attn_q",
  "self_attn.k_proj": "attn_k",
  "self_attn.q_norm": "attn_q_norm",
  "self_attn.k_norm": "attn_k_norm",
  "self_attn.v_proj": "attn_v",
  "self_attn.attn_sub_norm": "attn_sub_norm",
  "self_attn.o_proj": "attn_output",
  post_attention_layernorm: "ffn_norm",
  "mlp.gate_proj": "ffn_gate",
  "mlp.up_proj": "ffn_up",
  "mlp.ffn_sub_norm": "ffn_sub_norm",
  "mlp.down_proj": "ffn_down",
};

/** Where norms stand before and after, llama.cpp has other words for some of them. */
const sandwichedNames: Record<string, string> = {
  post_attention_layernorm: "post_attention_norm",
  pre_feedforward_layernorm: "ffn_norm",
  post_feedforward_layernorm: "post_ffw_norm",
};

/**
 * `model.layers.3.mlp.up_proj.weight` is `blk.3.ffn_up.weight`, its `bias` `blk.3.ffn_up.bias`, its `rms_norm.weight`
 * `blk.3.ffn_up.rms_norm.weight`. Without a configuration the names are those of most models.
 */
export function ggufName(
  parameter: string,
  { normPlacement }: Pick<ModelConfig, "normPlacement"> = { normPlacement: "pre" },
): string {
  const [, layer, name, norm = "", what] =
    /^model\.layers\.(\d+)\.(.+?)(\.rms_norm)?\.(weight|bias)$/.exec(parameter) ?? [];
  const names = normPlacement === "pre_post" ? { ...layerNames, ...sandwichedNames } : layerNames;
  return layer === undefined ? modelNames[parameter] : `blk.${layer}.${names[name]}${norm}.${what}`;
}

/** Every tensor of a file, in the order of the forward pass: what quantizers have learnt is in codes and scales. */
export function modelTensors(config: ModelConfig): ModelTensor[] {
  const parameters = modelParameters(config);
  const learnt = learntNames(parameters);
  return parameters
    .filter(({ kind }) => kind !== "quantizer")
    .map(({ name, shape, kind }) => ({
      parameter: name,
      ggufName: ggufName(name, config),
      kind,
      shape,
      learnt: learnt.get(name) ?? [],
    }));
}

/**
 * Rotary embedding turns element i of a head with i + head_dim / 2 in checkpoints and BitNet files, with i + 1 in
 * `llama` files. For each row of a q or k projection in such a file, the checkpoint's row that belongs there: row
 * 2 i + j of a head is its row i + j * head_dim / 2.
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
  return /\.(q|k)_proj\.(weight|bias)$/.test(tensor.parameter);
}
