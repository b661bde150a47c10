/**
 * Shape and size of a served model, as far as the files of its tokenizer tell: the GGUF file that is served, or the
 * Hugging Face config.json beside the tokenizer.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { GgufFile, readGgufMetadata } from "../../gguf/gguf_reader.ts";
import type { GgufMetadata } from "../../gguf/gguf_types.ts";
import { isTernary } from "../../gguf/types/tensor_type.ts";
import { type ModelShape, shapeOf } from "../model_shape.ts";

export interface ServedShape {
  shape: ModelShape | null;
  /** See `ModelFacts`. */
  linearBytes: number | null;
}

const unknown: ServedShape = { shape: null, linearBytes: null };

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

/** From a Hugging Face config; nothing is known if it is of another kind of model, or lacks a key. */
export function shapeOfConfig(json: unknown): ServedShape {
  const parsed = configSchema.safeParse(json);
  if (!parsed.success || !llamaLike.has(parsed.data.model_type)) return unknown;
  const config = parsed.data;
  const isBitNet = config.model_type === "bitnet";
  const sizes = {
    hiddenSize: config.hidden_size,
    numHiddenLayers: config.num_hidden_layers,
    intermediateSize: config.intermediate_size,
    numAttentionHeads: config.num_attention_heads,
    numKeyValueHeads: config.num_key_value_heads ?? config.num_attention_heads,
    headDim: config.head_dim ?? config.hidden_size / config.num_attention_heads,
  };
  const shape = shapeOf(sizes, isBitNet);
  const bytes = bytesOf[config.torch_dtype ?? config.dtype ?? ""];
  // A BitNet checkpoint's bytes depend on how it is packed.
  return { shape, linearBytes: bytes === undefined || isBitNet ? null : shape.linearWeights * bytes };
}

/** @param place the tokenizer: a GGUF file, a tokenizer.json or a folder with one */
export async function servedShape(place: string): Promise<ServedShape> {
  if (place.endsWith(".gguf")) return ggufShape(place);
  const config = path.join(statSync(place).isDirectory() ? place : path.dirname(place), "config.json");
  if (!existsSync(config)) return unknown;
  try {
    return shapeOfConfig(JSON.parse(readFileSync(config, "utf8")));
  } catch {
    return unknown;
  }
}

async function ggufShape(file: string): Promise<ServedShape> {
  const { shape } = shapeOfMetadata(await readGgufMetadata(file));
  if (shape === null) return unknown;
  let gguf: GgufFile;
  try {
    gguf = await GgufFile.open(file);
  } catch {
    // Of types that we do not read: its size in memory is not known.
    return { shape: { ...shape, ternary: false }, linearBytes: null };
  }
  await gguf.close();
  const linear = gguf.tensors.filter(({ name, shape: sizes }) => name.startsWith("blk.") && sizes.length === 2);
  const ternary = linear.length > 0 && linear.every(({ type }) => isTernary(type));
  return { shape: { ...shape, ternary }, linearBytes: linear.reduce((sum, { bytes }) => sum + bytes, 0) };
}

function shapeOfMetadata(metadata: GgufMetadata): ServedShape {
  const value = (key: string) => {
    const entry = metadata.get(key);
    return entry?.type === "array" ? undefined : entry?.value;
  };
  const architecture = String(value("general.architecture"));
  return shapeOfConfig({
    // bitnet-b1.58, bitnet-25, bitnet-lab ...
    model_type: architecture.startsWith("bitnet") ? "bitnet" : architecture,
    hidden_size: value(`${architecture}.embedding_length`),
    num_hidden_layers: value(`${architecture}.block_count`),
    num_attention_heads: value(`${architecture}.attention.head_count`),
    num_key_value_heads: value(`${architecture}.attention.head_count_kv`),
    head_dim: value(`${architecture}.attention.key_length`),
    intermediate_size: value(`${architecture}.feed_forward_length`),
  });
}
