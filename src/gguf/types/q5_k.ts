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
import { float16ToFloat32 } from "../../quant/float16.ts";
import { readUint16 } from "./half_floats.ts";
import { kGroup } from "./k_groups.ts";
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
    const float16At = (at: number) => float16ToFloat32(readUint16(bytes, at));
    for (let i = 0; i < values.length; i++) {
      const block = offset + Math.floor(i / blockElements) * blockBytes;
      const within = i % blockElements;
      const group = within >> 5;
      const low = (bytes[block + 48 + (within >> 6) * 32 + (within & 31)] >> ((group & 1) * 4)) & 15;
      const high = (bytes[block + 16 + (within & 31)] >> group) & 1;
      const [scale, minimum] = kGroup(bytes, block + 4, group);
      values[i] = float16At(block) * scale * (low | (high << 4)) - float16At(block + 2) * minimum;
    }
  },
} as const satisfies ReadOnlyTensorType;
