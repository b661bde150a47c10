/**
 * Q6_K, in which other programs store embeddings and heads: super-blocks of 256 values in 210 bytes, 16 groups of 16.
 *
 *   bytes 0-127     ql: the lower 4 bits of a code, two a byte
 *   bytes 128-191   qh: its upper 2 bits, four a byte
 *   bytes 192-207   int8 scales, one per group
 *   bytes 208-209   float16 d;   value = (d * scale) * (code - 32)
 *
 * In float32 and this order: at most one rounding per value, for d * scale is exact. The reference of the engine's
 * decoder (native/cc/core/k_quants.h). Read only. Source: ggml's ggml-quants.
 */
import { float16ToFloat32 } from "../../quant/float16.ts";
import { readUint16 } from "./half_floats.ts";
import type { ReadOnlyTensorType } from "./tensor_type.ts";

const blockElements = 256;
const blockBytes = 210;

export const q6_k = {
  kind: "read only",
  name: "Q6_K",
  id: 14,
  blockElements,
  blockBytes,
  tailBytes: 0,
  unpackRow(bytes: Uint8Array, offset: number, values: Float32Array) {
    for (let i = 0; i < values.length; i++) {
      const block = offset + Math.floor(i / blockElements) * blockBytes;
      const within = i % blockElements;
      // Two halves of 128 values, each four quarters of 32: 0 and 2 share the bytes of ql, all four those of qh.
      const half = within >> 7;
      const quarter = (within >> 5) & 3;
      const m = within & 31;
      const low = (bytes[block + half * 64 + (quarter & 1) * 32 + m] >> ((quarter >> 1) * 4)) & 15;
      const high = (bytes[block + 128 + half * 32 + m] >> (quarter * 2)) & 3;
      const scale = (bytes[block + 192 + (within >> 4)] << 24) >> 24;
      const d = float16ToFloat32(readUint16(bytes, block + 208));
      values[i] = d * scale * ((low | (high << 4)) - 32);
    }
  },
} as const satisfies ReadOnlyTensorType;
