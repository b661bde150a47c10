/**
 * Q5_0: blocks of 32 values in 22 bytes.
 *
 *   bytes 0-1    float16 d
 *   bytes 2-5    qh: the fifth bit of code i in byte 2 + i / 8, at bit i % 8
 *   bytes 6-21   the lower 4 bits: code m in the lower, code 16 + m in the upper half of byte 6 + m, m < 16
 *                value = (code - 16) * d, exact in float32
 *
 * Read only. Source: ggml's ggml-quants.
 */
import { float16ToFloat32 } from "../../quant/float16.ts";
import { readUint16 } from "./half_floats.ts";
import type { ReadOnlyTensorType } from "./tensor_type.ts";

const blockElements = 32;
const blockBytes = 22;

export const q5_0 = {
  kind: "read only",
  name: "Q5_0",
  id: 6,
  blockElements,
  blockBytes,
  tailBytes: 0,
  inMemory: { elements: 32, bytes: 34 },
  unpackRow(bytes: Uint8Array, offset: number, values: Float32Array) {
    for (let block = 0; block < values.length / blockElements; block++) {
      const at = offset + block * blockBytes;
      const d = float16ToFloat32(readUint16(bytes, at));
      for (let i = 0; i < blockElements; i++) {
        const low = (bytes[at + 6 + (i & 15)] >> (4 * (i >> 4))) & 15;
        const high = (bytes[at + 2 + (i >> 3)] >> (i & 7)) & 1;
        values[block * blockElements + i] = ((low | (high << 4)) - 16) * d;
      }
    }
  },
} as const satisfies ReadOnlyTensorType;
