/**
 * What a config.json says of a model, read a second time and without the reader that the export used, and what a written
 * file says in the same words: so that "verified" compares with the meaning of the source and not with our reading of it.
 * RoPE is that of transformers: its section (`rope_scaling` before `rope_parameters`) before the key beside it.
 */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { GgufFile } from "../../src/gguf/gguf_reader.ts";
import { VerificationError } from "./verification.ts";

type Json = Record<string, unknown>;

/** Values by the keys of config.json, of those that are stated. Floats are float32. */
export type StatedModel = Map<string, number | string | boolean>;

const counts = [
  "vocab_size",
  "max_position_embeddings",
  "hidden_size",
  "num_hidden_layers",
  "intermediate_size",
  "num_attention_heads",
  "num_key_value_heads",
  "head_dim",
];

/** @param quantization what the user said where the file does not */
export function statedByConfig(json: Json, quantization?: "online" | "none"): StatedModel {
  const stated: StatedModel = new Map();
  for (const key of counts) if (typeof json[key] === "number") stated.set(key, json[key]);
  if (!stated.has("head_dim")) stated.set("head_dim", headDim(json));
  if (typeof json.rms_norm_eps === "number") stated.set("rms_norm_eps", Math.fround(json.rms_norm_eps));
  const section = (json.rope_scaling || json.rope_parameters || {}) as Json;
  const rope = (section.full_attention ?? section) as Json;
  const theta = rope.rope_theta ?? json.rope_theta;
  if (typeof theta === "number") stated.set("rope_theta", Math.fround(theta));
  if (typeof json.hidden_act === "string") stated.set("hidden_act", json.hidden_act);
  if (typeof json.tie_word_embeddings === "boolean") stated.set("tie_word_embeddings", json.tie_word_embeddings);
  const isBitnet = bitnetLayers(json, quantization);
  if (isBitnet !== undefined) stated.set("bitnet layers", isBitnet);
  return stated;
}

/** Where a file leaves it out: Qwen3's and Gemma 3's are constants. */
function headDim({ model_type: type, hidden_size: width, num_attention_heads: heads }: Json): number {
  const constants: Json = { qwen3: 128, gemma3_text: 256 };
  return Number(constants[String(type)] ?? Number(width) / Number(heads));
}

/** Undefined where only our own keys tell what the layers are: of models that transformers has no class for. */
function bitnetLayers(json: Json, quantization?: "online" | "none"): boolean | undefined {
  if (quantization !== undefined) return quantization === "online";
  if (json.quantization_config) return true;
  const { weight_quantizer: named = "none" } = json;
  return named === "none" ? false : undefined;
}

/** llama.cpp's keys, below the architecture. */
const ggufKeys: Record<string, string> = {
  vocab_size: "vocab_size",
  max_position_embeddings: "context_length",
  hidden_size: "embedding_length",
  num_hidden_layers: "block_count",
  intermediate_size: "feed_forward_length",
  num_attention_heads: "attention.head_count",
  num_key_value_heads: "attention.head_count_kv",
  head_dim: "rope.dimension_count",
  rms_norm_eps: "attention.layer_norm_rms_epsilon",
  rope_theta: "rope.freq_base",
};

/** Of a GGUF file. */
export async function statedByGguf(file: string): Promise<StatedModel> {
  const gguf = await GgufFile.open(file);
  try {
    const stated: StatedModel = new Map();
    const set = (key: string, name: string) => {
      const value = gguf.scalar(name);
      if (value !== undefined) stated.set(key, value);
    };
    const architecture = gguf.scalar("general.architecture");
    for (const [key, name] of Object.entries(ggufKeys)) set(key, `${architecture}.${name}`);
    set("hidden_act", "bitnet-lab.hidden_act");
    stated.set("tie_word_embeddings", !gguf.tensors.some(({ name }) => name === "output.weight"));
    const quantizers = ["weight_quantizer", "activation_quantizer"].map((key) => gguf.scalar(`bitnet-lab.${key}`));
    // Other programs' files do not say it.
    if (quantizers.every((quantizer) => quantizer !== undefined)) {
      stated.set(
        "bitnet layers",
        quantizers.every((quantizer) => quantizer !== "none"),
      );
    }
    return stated;
  } finally {
    await gguf.close();
  }
}

/** Of a directory for transformers. */
export async function statedByDirectory(directory: string): Promise<StatedModel> {
  return statedByConfig(JSON.parse(await readFile(path.join(directory, "config.json"), "utf8")));
}

/**
 * @returns the keys that both say, in the order of the source.
 * @throws {VerificationError} naming the first key of which the file says something else than the source.
 */
export function requireSameModel(source: StatedModel, written: StatedModel): string[] {
  const compared: string[] = [];
  for (const [key, value] of source) {
    const found = written.get(key);
    if (found === undefined) continue;
    if (found !== value) {
      throw new VerificationError(`${key}: ${found} in the file, ${value} by the checkpoint itself`);
    }
    compared.push(key);
  }
  return compared;
}
