/**
 * Q5_K: super-blocks of 256 values in 176 bytes, 8 groups of 32. Q4_K with a fifth bit.
 *
 *   bytes 0-3      float16 d, float16 dmin
 *   bytes 4-15     scale and minimum of the groups (`k_groups.ts`)
 *   bytes 16-47    qh: the fifth bit of value m of group j in byte 16 + m, at bit j
 *   bytes 48-175   the lower 4 bits of a code, two a byte;   value = (d * scale) * code - dmin * minimum
 *
 * In float32 and this order: at most one rounding per value, for the products are exact. The reference of the engine's
 * decoder (native/cc/core/k_quants.h). Read only. Source: ggml's ggml-quants.
 */
import { fourBits, unpackKGroups } from "./k_groups.ts";
import type { ReadOnlyTensorType } from "./tensor_type.ts";

const blockElements = 256;
const blockBytes = 176;

export const q5_k = {
  kind: "read only",
  name: "Q5_K",
  id: 13,
  blockElements,
  blockBytes,
  tailBytes: 0,
  unpackRow(bytes: Uint8Array, offset: number, values: Float32Array) {
    unpackKGroups(bytes, offset, values, blockBytes, (from, block, within) => {
      const high = (from[block + 16 + (within & 31)] >> (within >> 5)) & 1;
      return fourBits(from, block + 48, within) | (high << 4);
    });
  },
} as const satisfies ReadOnlyTensorType;
