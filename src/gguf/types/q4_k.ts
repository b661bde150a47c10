/**
 * Q4_K, in which other programs store matrices and embeddings: super-blocks of 256 values in 144 bytes, 8 groups of 32.
 *
 *   bytes 0-3      float16 d, float16 dmin
 *   bytes 4-15     scale and minimum of the groups (`k_groups.ts`)
 *   bytes 16-143   codes of 4 bits, two a byte;   value = (d * scale) * code - dmin * minimum
 *
 * In float32 and this order: at most one rounding per value, for the products are exact. The reference of the engine's
 * decoder (native/cc/core/k_quants.h). Read only. Source: ggml's ggml-quants.
 */
import { float16ToFloat32 } from "../../quant/float16.ts";
import { readUint16 } from "./half_floats.ts";
import { kGroup } from "./k_groups.ts";
import type { ReadOnlyTensorType } from "./tensor_type.ts";

const blockElements = 256;
const blockBytes = 144;

export const q4_k = {
  kind: "read only",
  name: "Q4_K",
  id: 12,
  blockElements,
  blockBytes,
  tailBytes: 0,
  unpackRow(bytes: Uint8Array, offset: number, values: Float32Array) {
    const float16At = (at: number) => float16ToFloat32(readUint16(bytes, at));
    for (let i = 0; i < values.length; i++) {
      const block = offset + Math.floor(i / blockElements) * blockBytes;
      const within = i % blockElements;
      const group = within >> 5;
      const code = (bytes[block + 16 + (within >> 6) * 32 + (within & 31)] >> ((group & 1) * 4)) & 15;
      const [scale, minimum] = kGroup(bytes, block + 4, group);
      values[i] = float16At(block) * scale * code - float16At(block + 2) * minimum;
    }
  },
} as const satisfies ReadOnlyTensorType;
