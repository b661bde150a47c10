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
import { fourBits, unpackKGroups } from "./k_groups.ts";
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
    unpackKGroups(bytes, offset, values, blockBytes, (from, block, within) => fourBits(from, block + 16, within));
  },
} as const satisfies ReadOnlyTensorType;
