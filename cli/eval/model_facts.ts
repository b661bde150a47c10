/** Shape and size of the model that `--model` names, as far as its files tell. */
import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { hasTernaryWeights } from "../../src/config/model_quantizers.ts";
import { localTokenizer } from "../../src/data/hub_tokenizer.ts";
import { GgufFile, readGgufMetadata } from "../../src/gguf/gguf_reader.ts";
import type { GgufMetadata } from "../../src/gguf/gguf_types.ts";
import { isTernary } from "../../src/gguf/types/tensor_type.ts";
import type { LanguageModel } from "../../src/language_model/language_model.ts";
import { type ModelShape, shapeOfConfig } from "../../src/language_model/model_shape.ts";
import { isServer, serverArguments } from "./server_model.ts";

/** Null where nothing is known: the table then says so. */
export async function modelShape(
  source: string,
  modelArgs: string | undefined,
  model: LanguageModel,
): Promise<ModelShape | null> {
  // Of a server, the files of the tokenizer may tell: a GGUF file, or a checkpoint's folder.
  const place = isServer(source) ? await localTokenizer(serverArguments(modelArgs).tokenizer) : source;
  if (place.endsWith(".gguf")) return ggufShape(place);
  if (isServer(source)) return configShape(statSync(place).isDirectory() ? place : path.dirname(place));
  const { openCheckpoint } = await import("../../src/checkpoint/checkpoint.ts");
  const checkpoint = await openCheckpoint(place);
  await checkpoint.tensors.close();
  const { config } = checkpoint;
  const shape = shapeOfConfig({
    model_type: hasTernaryWeights(config) ? "bitnet" : "llama",
    hidden_size: config.hiddenSize,
    num_hidden_layers: config.numHiddenLayers,
    num_attention_heads: config.numAttentionHeads,
    num_key_value_heads: config.numKeyValueHeads,
    head_dim: config.headDim,
    intermediate_size: config.intermediateSize,
  });
  // A checkpoint runs on its latent weights, float32 on every backend.
  return shape && { ...shape, linearBytes: model.info.backend === undefined ? null : shape.linearWeights * 4 };
}

function configShape(directory: string): ModelShape | null {
  const file = path.join(directory, "config.json");
  if (!existsSync(file)) return null;
  try {
    return shapeOfConfig(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return null;
  }
}

async function ggufShape(file: string): Promise<ModelShape | null> {
  const shape = shapeOfMetadata(await readGgufMetadata(file));
  if (shape === null) return null;
  let gguf: GgufFile;
  try {
    gguf = await GgufFile.open(file);
  } catch {
    // Of types that we do not read: its size in memory is not known.
    return { ...shape, ternary: false, linearBytes: null };
  }
  await gguf.close();
  const linear = gguf.tensors.filter(({ name, shape: sizes }) => name.startsWith("blk.") && sizes.length === 2);
  return {
    ...shape,
    ternary: linear.length > 0 && linear.every(({ type }) => isTernary(type)),
    linearBytes: linear.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

function shapeOfMetadata(metadata: GgufMetadata): ModelShape | null {
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
