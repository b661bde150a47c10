/**
 * Q6_K and Q4_K, in which other programs store embeddings and heads: super-blocks of 256 values. The reference of the
 * engine's decoder (native/cc/core/k_quants.h); nothing here writes them.
 *
 *   Q6_K, 210 bytes: ql[128], qh[64], int8 scales[16], float16 d
 *     value = (d * scale) * (code - 32): groups of 16 values, codes of 6 bits
 *   Q4_K, 144 bytes: float16 d, float16 dmin, scales[12], qs[128]
 *     value = (d * scale) * code - dmin * minimum: groups of 32 values, codes of 4 bits
 *
 * All float32 in this order: one rounding per value at most, for d * scale and the products of Q4_K are exact.
 * Source: ggml's ggml-quants; values equal those of the gguf package (test/golden/gguf/k_quants.json).
 */
import { float16ToFloat32 } from "./float16.ts";

export const superBlockSize = 256;
export const q6KBlockBytes = 210;
export const q4KBlockBytes = 144;

function float16At(bytes: Uint8Array, at: number): number {
  return float16ToFloat32(bytes[at] | (bytes[at + 1] << 8));
}

function superBlocks(type: string, bytes: Uint8Array, blockBytes: number): number {
  if (bytes.length % blockBytes === 0) return bytes.length / blockBytes;
  throw new RangeError(`${bytes.length} bytes are no whole ${type} blocks of ${blockBytes}`);
}

/**
 * Values of whole Q6_K blocks.
 * @throws {RangeError} if the bytes are not a multiple of 210.
 */
export function dequantizeQ6K(bytes: Uint8Array): Float32Array {
  const values = new Float32Array(superBlocks("Q6_K", bytes, q6KBlockBytes) * superBlockSize);
  for (let i = 0; i < values.length; i++) {
    const block = Math.floor(i / superBlockSize) * q6KBlockBytes;
    const within = i % superBlockSize;
    // Two halves of 128 values, each four quarters of 32: 0 and 2 share the bytes of ql, all four those of qh.
    const half = within >> 7;
    const quarter = (within >> 5) & 3;
    const m = within & 31;
    const low = (bytes[block + half * 64 + (quarter & 1) * 32 + m] >> ((quarter >> 1) * 4)) & 15;
    const high = (bytes[block + 128 + half * 32 + m] >> (quarter * 2)) & 3;
    const scale = (bytes[block + 192 + (within >> 4)] << 24) >> 24;
    values[i] = float16At(bytes, block + 208) * scale * ((low | (high << 4)) - 32);
  }
  return values;
}

/** Scale and minimum of group j (0 to 7), 6 bits each; the upper four are split between two bytes. */
function q4KGroup(bytes: Uint8Array, at: number, j: number): [scale: number, minimum: number] {
  if (j < 4) return [bytes[at + j] & 63, bytes[at + j + 4] & 63];
  return [
    (bytes[at + j + 4] & 15) | ((bytes[at + j - 4] >> 6) << 4),
    (bytes[at + j + 4] >> 4) | ((bytes[at + j] >> 6) << 4),
  ];
}

/**
 * Values of whole Q4_K blocks.
 * @throws {RangeError} if the bytes are not a multiple of 144.
 */
export function dequantizeQ4K(bytes: Uint8Array): Float32Array {
  const values = new Float32Array(superBlocks("Q4_K", bytes, q4KBlockBytes) * superBlockSize);
  for (let i = 0; i < values.length; i++) {
    const block = Math.floor(i / superBlockSize) * q4KBlockBytes;
    const within = i % superBlockSize;
    const group = within >> 5;
    const code = (bytes[block + 16 + (within >> 6) * 32 + (within & 31)] >> ((group & 1) * 4)) & 15;
    const [scale, minimum] = q4KGroup(bytes, block + 4, group);
    values[i] = float16At(bytes, block) * scale * code - float16At(bytes, block + 2) * minimum;
  }
  return values;
}
