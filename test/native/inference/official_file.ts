/**
 * Small models in the layout of bitnet.cpp's official 2B4T GGUF, written by hand from the format's description: its keys
 * (no tokenizer.ggml.pre, no rope scaling), I2_S linear weights, F16 embedding, F32 norms.
 */
import { roundToDtype } from "../../../src/quant/round_to_dtype.ts";
import { CounterRng } from "../../../src/random/counter_rng.ts";
import { floatTensor, ggufByHand, type HandTensor, type HandValue } from "../../support/gguf_by_hand.ts";

const hidden = 256;
export const intermediate = 1024;
const heads = 4;
const kvHeads = 2;
const headDim = 64;
const layers = 2;
export const vocab = 300;

export interface Matrix {
  gguf: string;
  parameter: string;
  rows: number;
  cols: number;
  codes: Int8Array;
  scale: number;
}

/** As the official checkpoint stores its numbers. */
const bfloat16 = (value: number) => roundToDtype(Float32Array.of(value), "bf16")[0]!;

/** Zeros are as frequent as `density` of the row or column says; training ties the two sides of a channel. */
function matrix(gguf: string, parameter: string, rows: number, cols: number, density: (i: number) => number): Matrix {
  const rng = new CounterRng(5, gguf);
  const codes = new Int8Array(rows * cols);
  for (let i = 0; i < codes.length; i++) {
    if (rng.uniform() < density(i)) codes[i] = rng.uniform() < 0.5 ? -1 : 1;
  }
  return { gguf, parameter, rows, cols, codes, scale: bfloat16(0.02 + rng.uniform() * 0.01) };
}

/** Ternary matrices of the model; with `tied`, the channels of a feed-forward block have densities of their own. */
export function matrices(tied: boolean): Matrix[] {
  const rng = new CounterRng(6, "channels");
  const channel = Array.from({ length: intermediate }, () => 0.4 + rng.uniform() * 0.4);
  const plain = () => 0.66;
  return Array.from({ length: layers }, (_, n) => {
    const name = (gguf: string, parameter: string) =>
      [`blk.${n}.${gguf}.weight`, `model.layers.${n}.${parameter}.weight`] as const;
    const row = tied ? (i: number) => channel[Math.floor(i / hidden)]! : plain;
    const column = tied ? (i: number) => channel[i % intermediate]! : plain;
    return [
      matrix(...name("attn_q", "self_attn.q_proj"), hidden, hidden, plain),
      matrix(...name("attn_k", "self_attn.k_proj"), kvHeads * headDim, hidden, plain),
      matrix(...name("attn_v", "self_attn.v_proj"), kvHeads * headDim, hidden, plain),
      matrix(...name("attn_output", "self_attn.o_proj"), hidden, hidden, plain),
      matrix(...name("ffn_gate", "mlp.gate_proj"), intermediate, hidden, row),
      matrix(...name("ffn_up", "mlp.up_proj"), intermediate, hidden, row),
      matrix(...name("ffn_down", "mlp.down_proj"), hidden, intermediate, column),
    ];
  }).flat();
}

/** Where code e of a matrix is stored: byte, and bit of the byte. */
export type Place = (e: number) => [byte: number, bit: number];
export const x86: Place = (e) => [Math.floor(e / 128) * 32 + (e % 32), 6 - 2 * Math.floor((e % 128) / 32)];
export const arm: Place = (e) => [Math.floor(e / 64) * 16 + (e % 16), 6 - 2 * Math.floor((e % 64) / 16)];
export const sequential: Place = (e) => [Math.floor(e / 4), 2 * (e % 4)];

/** n / 4 bytes of codes, the float32 scale, 28 bytes of padding. */
export function i2s({ gguf, rows, cols, codes, scale }: Matrix, place: Place, tail = 32): HandTensor {
  const bytes = new Uint8Array(codes.length / 4 + tail);
  codes.forEach((code, e) => {
    const [byte, bit] = place(e);
    bytes[byte]! |= (code + 1) << bit;
  });
  if (tail >= 4) new DataView(bytes.buffer).setFloat32(codes.length / 4, scale, true);
  return { name: gguf, sizes: [cols, rows], type: 36, bytes };
}

/** The other parameters, by Hugging Face's names, all bfloat16: gains about 1, an embedding that is float16 too. */
export function floats(): Map<string, Float32Array> {
  const rng = new CounterRng(7, "floats");
  const gains = (size: number) => Float32Array.from({ length: size }, () => bfloat16(0.8 + rng.uniform() * 0.4));
  const embedding = Float32Array.from({ length: vocab * hidden }, () => bfloat16((rng.uniform() - 0.5) * 0.1));
  const parameters = new Map([["model.embed_tokens.weight", roundToDtype(embedding, "f16")]]);
  for (let n = 0; n < layers; n++) {
    parameters.set(`model.layers.${n}.input_layernorm.weight`, gains(hidden));
    parameters.set(`model.layers.${n}.self_attn.attn_sub_norm.weight`, gains(hidden));
    parameters.set(`model.layers.${n}.post_attention_layernorm.weight`, gains(hidden));
    parameters.set(`model.layers.${n}.mlp.ffn_sub_norm.weight`, gains(intermediate));
  }
  return parameters.set("model.norm.weight", gains(hidden));
}

/** Vocabulary of 300: the 256 byte characters, two merges, LLaMA-3's special tokens at the end. */
export function vocabulary(): string[] {
  const printable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);
  let next = 256;
  const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
  const rest = Array.from({ length: vocab - 256 - 2 - 3 }, (_, i) => `<|reserved_${i}|>`);
  return [...bytes, "he", "hel", ...rest, "<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"];
}

/** Bits of a value that is a float16. */
const half = (value: number) => {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0]!;
  const exponent = ((bits >> 23) & 255) - 112;
  const mantissa = (bits & 0x7fffff) | 0x800000;
  if (exponent > 0) return ((bits >>> 16) & 0x8000) | (exponent << 10) | ((mantissa >> 13) & 0x3ff);
  return ((bits >>> 16) & 0x8000) | (exponent < -11 ? 0 : mantissa >> (14 - exponent));
};

/** The file with these tensors; `changes` replaces entries of the metadata, null removes one. */
export function officialFile(tensors: HandTensor[], changes: Record<string, HandValue | null> = {}): Buffer {
  const tokens = vocabulary();
  const key = (name: string) => `bitnet-b1.58.${name}`;
  const metadata: Record<string, HandValue | null> = {
    "general.architecture": { string: "bitnet-b1.58" },
    "general.name": { string: "bitnet2b" },
    [key("vocab_size")]: { u32: vocab },
    [key("context_length")]: { u32: 128 },
    [key("embedding_length")]: { u32: hidden },
    [key("block_count")]: { u32: layers },
    [key("feed_forward_length")]: { u32: intermediate },
    [key("rope.dimension_count")]: { u32: headDim },
    [key("attention.head_count")]: { u32: heads },
    [key("attention.head_count_kv")]: { u32: kvHeads },
    "tokenizer.ggml.add_bos_token": { bool: true },
    [key("attention.layer_norm_rms_epsilon")]: { f32: 1e-5 },
    [key("rope.freq_base")]: { f32: 500000 },
    "general.file_type": { u32: 40 },
    "tokenizer.ggml.model": { string: "gpt2" },
    "tokenizer.ggml.tokens": { strings: tokens },
    "tokenizer.ggml.scores": { f32s: tokens.map(() => 0) },
    "tokenizer.ggml.token_type": { i32s: tokens.map((token) => (token.startsWith("<|") ? 3 : 1)) },
    "tokenizer.ggml.merges": { strings: ["h e", "he l"] },
    "tokenizer.ggml.bos_token_id": { u32: vocab - 3 },
    "tokenizer.ggml.eos_token_id": { u32: vocab - 2 },
    "tokenizer.ggml.padding_token_id": { u32: vocab - 2 },
    "tokenizer.chat_template": { string: "{{ messages[0].content }}" },
    "general.quantization_version": { u32: 2 },
    ...changes,
  };
  const kept = Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== null));
  return ggufByHand(kept as Record<string, HandValue>, tensors);
}

/** Embedding and norms. */
export function floatTensors(): HandTensor[] {
  const parameters = floats();
  const gguf = (name: string) =>
    name
      .replace("model.layers", "blk")
      .replace("self_attn.", "")
      .replace("mlp.", "")
      .replace("input_layernorm", "attn_norm")
      .replace("post_attention_layernorm", "ffn_norm")
      .replace("model.norm", "output_norm");
  const [[, embedding], ...gains] = parameters;
  const halves = Uint16Array.from(embedding, half);
  return [
    { name: "token_embd.weight", sizes: [hidden, vocab], type: 1, bytes: new Uint8Array(halves.buffer) },
    ...gains.map(([name, values]) => floatTensor(gguf(name), [values.length], values)),
  ];
}

/** All tensors, the linear ones with their codes in these places. */
export function officialTensors(place: Place, tied = true): HandTensor[] {
  return [...matrices(tied).map((m) => i2s(m, place)), ...floatTensors()];
}
