/** The facts about a Llama-like decoder that its memory and energy depend on, from its Hugging Face config. */
import { z } from "zod";

export interface ModelShape {
  numHiddenLayers: number;
  /** Heads times head size: the width of the attention products. */
  attentionWidth: number;
  /** Weights of the linear layers, embedding and head left out. */
  linearWeights: number;
  /** The linear layers multiply ternary weights with int8 activations: additions of int8 only. */
  ternary: boolean;
  /** Bytes of those weights as they are stored; null if not known. */
  linearBytes: number | null;
}

const configSchema = z.object({
  model_type: z.string(),
  hidden_size: z.number().int().positive(),
  num_hidden_layers: z.number().int().positive(),
  num_attention_heads: z.number().int().positive(),
  num_key_value_heads: z.number().int().positive().nullish(),
  head_dim: z.number().int().positive().nullish(),
  intermediate_size: z.number().int().positive(),
  torch_dtype: z.string().nullish(),
  dtype: z.string().nullish(),
});

/** Decoders with four attention and three feed-forward matrices a layer. */
const llamaLike = new Set([
  "llama",
  "mistral",
  "qwen2",
  "qwen3",
  "gemma",
  "gemma2",
  "gemma3_text",
  "bitnet",
  "smollm3",
]);

const bytesOf: Record<string, number> = { float32: 4, float16: 2, bfloat16: 2 };

/** Null if the config is of another kind of model, or lacks a key. */
export function shapeOfConfig(json: unknown): ModelShape | null {
  const parsed = configSchema.safeParse(json);
  if (!parsed.success || !llamaLike.has(parsed.data.model_type)) return null;
  const config = parsed.data;
  const headDim = config.head_dim ?? config.hidden_size / config.num_attention_heads;
  const attentionWidth = config.num_attention_heads * headDim;
  const keyValueWidth = (config.num_key_value_heads ?? config.num_attention_heads) * headDim;
  const perLayer = config.hidden_size * (2 * attentionWidth + 2 * keyValueWidth + 3 * config.intermediate_size);
  const linearWeights = config.num_hidden_layers * perLayer;
  const bytes = bytesOf[config.torch_dtype ?? config.dtype ?? ""];
  return {
    numHiddenLayers: config.num_hidden_layers,
    attentionWidth,
    linearWeights,
    ternary: config.model_type === "bitnet",
    // A BitNet checkpoint's bytes depend on how it is packed.
    linearBytes: bytes === undefined || config.model_type === "bitnet" ? null : linearWeights * bytes,
  };
}
