/**
 * A random float model in llama.cpp's Q4_K_M, in the shape of Qwen2.5-1.5B (hidden 1536, 28 layers, feed-forward 8960, 12
 * heads of which 2 for keys, 151,936 tokens): what a ternary model of 2B4T's shape is an alternative to.
 *
 *     npx tsx experiments/bench/random_k_quants.ts OUT.gguf
 *
 * Q6_K where that mixture has it: the tied embedding, and v and down of the first and last eighth of the layers and of each
 * third between. Blocks are random bits with scales that give weights of about 0.02.
 */
import { modelMetadata } from "../../export/model_metadata.ts";
import { modelTensors } from "../../src/checkpoint/gguf/tensor_names.ts";
import { modelConfigSchema, resolveModelConfig } from "../../src/config/model_config.ts";
import { type GgufTensorSource, writeGguf } from "../../src/gguf/gguf_writer.ts";
import { tokenizerMetadata } from "../../src/gguf/tokenizer_metadata.ts";
import { f16 } from "../../src/gguf/types/f16.ts";
import { f32 } from "../../src/gguf/types/f32.ts";
import { writeUint16 } from "../../src/gguf/types/half_floats.ts";
import { q4_k } from "../../src/gguf/types/q4_k.ts";
import { q6_k } from "../../src/gguf/types/q6_k.ts";
import { float32ToFloat16 } from "../../src/quant/float16.ts";
import { mix32 } from "../../src/random/counter_rng.ts";
import { byteLevelTokenizer } from "../../src/tokenizer/byte_level_tokenizer.ts";

const [out] = process.argv.slice(2);
if (out === undefined) throw new Error("usage: random_k_quants.ts OUT.gguf");

const layers = 28;
const config = resolveModelConfig(
  modelConfigSchema.parse({
    hidden_size: 1536,
    num_hidden_layers: layers,
    intermediate_size: 8960,
    num_attention_heads: 12,
    num_key_value_heads: 2,
    vocab_size: 151936,
    max_position_embeddings: 32768,
    rms_norm_eps: 1e-6,
    rope_theta: 1000000,
    hidden_act: "silu",
    norm_placement: "pre",
    qkv_bias: true,
    weight_quantizer: "none",
    activation_quantizer: "none",
  }),
);

/** llama.cpp's choice of layers whose v and down have more bits. */
function hasMoreBits(layer: number): boolean {
  const eighth = Math.floor(layers / 8);
  return layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2;
}

function typeOf(name: string) {
  const [, layer, part] = /^blk\.(\d+)\.(\w+)\.weight$/.exec(name) ?? [];
  const isLarge = part === undefined || (/^(attn_v|ffn_down)$/.test(part) && hasMoreBits(Number(layer)));
  return isLarge ? q6_k : q4_k;
}

const half = (value: number) => float32ToFloat16(value);

/** Gives a block of random bits scales of the size that is wanted. */
function setScales(bytes: Uint8Array, at: number, type: typeof q4_k | typeof q6_k): void {
  if (type === q6_k) {
    writeUint16(bytes, at + 208, half(2e-5));
    return;
  }
  writeUint16(bytes, at, half(1.6e-4));
  writeUint16(bytes, at + 2, half(1.2e-3));
}

async function* randomBlocks(type: typeof q4_k | typeof q6_k, count: number, seed: number) {
  const each = 1 << 12;
  const bytes = new Uint8Array(each * type.blockBytes);
  const words = new Uint32Array(bytes.buffer, 0, bytes.length >> 2);
  for (let first = 0; first < count; first += each) {
    const blocks = Math.min(each, count - first);
    for (let i = 0; i < words.length; i++) words[i] = mix32((seed + first) ^ Math.imul(i, 0x9e3779b1));
    for (let block = 0; block < blocks; block++) setScales(bytes, block * type.blockBytes, type);
    yield bytes.subarray(0, blocks * type.blockBytes);
  }
}

const tensors = modelTensors(config).map(({ ggufName: name, kind, shape }, index): GgufTensorSource => {
  const size = shape.reduce((product, each) => product * each, 1);
  if (kind === "norm" || kind === "bias") {
    const values = new Float32Array(size).fill(kind === "norm" ? 1 : 0);
    return {
      ...{ name, type: f32, shape },
      bytes: async function* () {
        yield new Uint8Array(values.buffer);
      },
    };
  }
  const type = typeOf(name);
  return { name, type, shape, bytes: () => randomBlocks(type, size / type.blockElements, mix32(index)) };
});
const tokenizer = byteLevelTokenizer({ eosToken: "<|end_of_text|>" });
const metadata = new Map([
  ...modelMetadata(config, "qwen2", "random Q4_K_M in the shape of Qwen2.5-1.5B", f16, "f16"),
  ...tokenizerMetadata(tokenizer, config.vocabSize),
]);
metadata.set("general.file_type", { type: "uint32", value: 15 });
await writeGguf(out, metadata, tensors);
