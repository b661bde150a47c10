/** Model files made by hand from the descriptions of their formats, each a trap for some reader. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { float32ToFloat16 } from "../../src/quant/float16.ts";
import { CounterRng } from "../../src/random/counter_rng.ts";
import { floatTensor, ggufByHand, type HandLayout, type HandTensor, type HandValue } from "../support/gguf_by_hand.ts";

export const shape = { hidden: 256, intermediate: 512, heads: 4, kvHeads: 2, vocabulary: 260, layers: 1 };

/** Codes of a matrix by its name in GGUF files, -1, 0 and 1, row-major. */
export type CodesOf = (name: string, rows: number, cols: number) => Int8Array;

export const randomCodes: CodesOf = (name, rows, cols) => {
  const rng = new CounterRng(5, name);
  const some = Int8Array.from({ length: 997 }, () => Math.floor(rng.uniform() * 3) - 1);
  return Int8Array.from({ length: rows * cols }, (_, i) => some[i % some.length]!);
};

/** How the codes of a tensor become bytes of a type. */
export type Pack = (codes: Int8Array, name: string) => { type: number; bytes: Uint8Array };

/** Of a tensor, by its name in GGUF files. */
export type ScaleOf = (name: string) => number;

/** Groups of `group` weights: float16 scale, then two bits each, code + 1, the first in the lowest bits. */
function twoBitGroups(type: number, group: number, scaleOf: ScaleOf): Pack {
  return (codes, name) => {
    const each = 2 + group / 4;
    const bytes = new Uint8Array((codes.length / group) * each);
    for (let i = 0; i < codes.length; i++) {
      const at = Math.floor(i / group) * each;
      new DataView(bytes.buffer).setUint16(at, float32ToFloat16(scaleOf(name)), true);
      bytes[at + 2 + ((i % group) >> 2)] |= (codes[i] + 1) << (2 * (i & 3));
    }
    return { type, bytes };
  };
}

/** TQ2_0: element e of 256 in byte (e / 128) * 32 + e % 32, bits 2 ((e % 128) / 32); then the scale. */
export function tq2Scaled(scaleOf: ScaleOf): Pack {
  return (codes, name) => {
    const bytes = new Uint8Array((codes.length / 256) * 66);
    for (let i = 0; i < codes.length; i++) {
      const [block, e] = [Math.floor(i / 256) * 66, i % 256];
      bytes[block + (e >> 7) * 32 + (e & 31)] |= (codes[i] + 1) << (2 * ((e & 127) >> 5));
      new DataView(bytes.buffer).setUint16(block + 64, float32ToFloat16(scaleOf(name)), true);
    }
    return { type: 35, bytes };
  };
}

export const tq2 = tq2Scaled(() => 0.02);

/** I2_S with 4 x `lane` codes in `lane` bytes (32 on x86, 16 on ARM), the first `lane` in the high bits; then the scale. */
export function i2s(lane: 16 | 32, scaleOf: ScaleOf = () => 0.02): Pack {
  return (codes, name) => {
    const bytes = new Uint8Array(codes.length / 4 + 32);
    for (let i = 0; i < codes.length; i++) {
      const e = i % (4 * lane);
      bytes[Math.floor(i / (4 * lane)) * lane + (e % lane)] |= (codes[i] + 1) << (6 - 2 * Math.floor(e / lane));
    }
    new DataView(bytes.buffer).setFloat32(codes.length / 4, scaleOf(name), true);
    return { type: 36, bytes };
  };
}

export const q2Scaled = (group: 64 | 128, scaleOf: ScaleOf) => twoBitGroups(42, group, scaleOf);
export const q2Mainline = q2Scaled(64, () => 0.02);
export const q2Prism = q2Scaled(128, () => 0.02);
/** STQ1_0 has 42 bytes per 256 weights; what they say is of no matter here. */
export const stq1: Pack = (codes) => ({ type: 42, bytes: new Uint8Array((codes.length / 256) * 42).fill(1) });

export interface HandModel {
  architecture: string;
  pack: Pack;
  codes?: CodesOf;
  subNorms?: boolean;
  /** A head beside the embedding, with its values. Default: the embedding is the head. */
  head?: boolean;
  /** Tokens of the vocabulary; the embedding has `shape.vocabulary` rows. */
  tokens?: number;
  keys?: Record<string, HandValue>;
  layout?: HandLayout;
  /** Default: {@link shape}. */
  sizes?: typeof shape;
  /** Values of embedding and norms. Default: small random ones, and ones. */
  floats?: (name: string, size: number) => Float32Array;
}

const someFloats = (name: string, size: number) =>
  name.endsWith("norm.weight")
    ? new Float32Array(size).fill(1)
    : Float32Array.from({ length: size }, (_, i) => ((i * 37) % 101) / 101 - 0.5);

/** Linear weights of a layer: [name, out, in]. */
function linearsOf({ hidden, intermediate, heads, kvHeads }: typeof shape): [string, number, number][] {
  const keys = (hidden * kvHeads) / heads;
  return [
    ["attn_q", hidden, hidden],
    ["attn_k", keys, hidden],
    ["attn_v", keys, hidden],
    ["attn_output", hidden, hidden],
    ["ffn_gate", intermediate, hidden],
    ["ffn_up", intermediate, hidden],
    ["ffn_down", hidden, intermediate],
  ];
}

export function handTensors(model: HandModel): HandTensor[] {
  const { pack, codes = randomCodes, subNorms = true, head = false, sizes = shape, floats = someFloats } = model;
  const { hidden, intermediate, vocabulary, layers } = sizes;
  const norm = (name: string, size: number) => floatTensor(name, [size], floats(name, size));
  const embedding = floats("token_embd.weight", vocabulary * hidden);
  const tensors = [floatTensor("token_embd.weight", [hidden, vocabulary], embedding)];
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `blk.${layer}.`;
    for (const [name, rows, cols] of linearsOf(sizes)) {
      const full = `${prefix}${name}.weight`;
      tensors.push({ name: full, sizes: [cols, rows], ...pack(codes(full, rows, cols), full) });
    }
    tensors.push(norm(`${prefix}attn_norm.weight`, hidden), norm(`${prefix}ffn_norm.weight`, hidden));
    if (subNorms) {
      tensors.push(norm(`${prefix}attn_sub_norm.weight`, hidden), norm(`${prefix}ffn_sub_norm.weight`, intermediate));
    }
  }
  if (head) tensors.push(floatTensor("output.weight", [hidden, vocabulary], embedding));
  return [...tensors, norm("output_norm.weight", hidden)];
}

export function handKeys({
  architecture,
  sizes = shape,
  tokens = sizes.vocabulary,
  keys = {},
}: HandModel): Record<string, HandValue> {
  const { hidden, intermediate, heads, kvHeads, layers } = sizes;
  const a = architecture;
  return {
    "general.architecture": { string: a },
    [`${a}.context_length`]: { u32: 128 },
    [`${a}.embedding_length`]: { u32: hidden },
    [`${a}.block_count`]: { u32: layers },
    [`${a}.feed_forward_length`]: { u32: intermediate },
    [`${a}.attention.head_count`]: { u32: heads },
    [`${a}.attention.head_count_kv`]: { u32: kvHeads },
    [`${a}.attention.layer_norm_rms_epsilon`]: { f32: 1e-5 },
    "tokenizer.ggml.model": { string: "gpt2" },
    "tokenizer.ggml.pre": { string: "llama-bpe" },
    "tokenizer.ggml.tokens": { strings: Array.from({ length: tokens }, (_, i) => `t${i}`) },
    "tokenizer.ggml.merges": { strings: [] },
    "tokenizer.ggml.eos_token_id": { u32: 0 },
    ...keys,
  };
}

/** Writes it into a folder, and returns its path. */
export function writeHandModel(folder: string, name: string, model: HandModel): string {
  const file = path.join(folder, `${name}.gguf`);
  writeFileSync(file, ggufByHand(handKeys(model), handTensors(model), model.layout));
  return file;
}
