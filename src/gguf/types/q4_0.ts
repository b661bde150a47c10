/**
 * Q4_0: blocks of 32 values in 18 bytes.
 *
 *   bytes 0-1    float16 d
 *   bytes 2-17   codes of 4 bits: value m in the lower, value 16 + m in the upper half of byte 2 + m, m < 16
 *                value = (code - 8) * d, exact in float32
 *
 * Read only. Source: ggml's ggml-quants.
 */
import { float16ToFloat32 } from "../../quant/float16.ts";
import { readUint16 } from "./half_floats.ts";
import type { ReadOnlyTensorType } from "./tensor_type.ts";

const blockElements = 32;
const blockBytes = 18;

export const q4_0 = {
  kind: "read only",
  name: "Q4_0",
  id: 2,
  blockElements,
  blockBytes,
  tailBytes: 0,
  unpackRow(bytes: Uint8Array, offset: number, values: Float32Array) {
    for (let block = 0; block < values.length / blockElements; block++) {
      const at = offset + block * blockBytes;
      const d = float16ToFloat32(readUint16(bytes, at));
      for (let i = 0; i < blockElements; i++) {
        values[block * blockElements + i] = (((bytes[at + 2 + (i & 15)] >> (4 * (i >> 4))) & 15) - 8) * d;
      }
    }
  },
} as const satisfies ReadOnlyTensorType;
