/**
 * Q1_0: signs, 1.125 bits per element; blocks of 128 elements in 18 bytes.
 *
 *   bytes 0-1    float16 d
 *   bytes 2-17   element e in byte e / 8, at bit e % 8;  value = d where the bit is set, else -d
 *
 * Read only. Source: block_q1_0 of llama.cpp, since April 2026 (Bonsai's 1-bit models).
 */
import { float16ToFloat32 } from "../../quant/float16.ts";
import { readUint16 } from "./half_floats.ts";
import type { ReadOnlyCodeType } from "./tensor_type.ts";

const blockElements = 128;
const blockBytes = 18;

export const q1_0 = {
  kind: "read-only codes",
  name: "Q1_0",
  id: 41,
  blockElements,
  blockBytes,
  tailBytes: 0,
  inMemory: { elements: 64, bytes: 18 },
  holds: { levels: [-1, 1], scales: "block", scaleDtype: "f16" },
  unpackRow(bytes: Uint8Array, offset: number, levels: Int8Array, scales: Float32Array) {
    for (let block = 0; block < levels.length / blockElements; block++) {
      const at = offset + block * blockBytes;
      scales[block] = float16ToFloat32(readUint16(bytes, at));
      for (let e = 0; e < blockElements; e++) {
        levels[block * blockElements + e] = ((bytes[at + 2 + (e >> 3)] >> (e & 7)) & 1) * 2 - 1;
      }
    }
  },
} as const satisfies ReadOnlyCodeType;
