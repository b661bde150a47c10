/**
 * PTQ1_0 of PrismML's fork: ternary, 1.75 bits per element; blocks of 128 elements in 28 bytes. TQ1_0's digits of base 3
 * with a scale per 128.
 *
 *   bytes 0-15    qs[m]:      elements m + 16 n,        n = 0..4
 *   bytes 16-23   qs[16 + m]: elements 80 + m + 8 n,    n = 0..4
 *   bytes 24-25   qh[j]:      elements 120 + j + 2 n,   n = 0..3
 *   bytes 26-27   float16 d;   value = ternary * d
 *
 * Read only. Source: block_ptq1_0 of PrismML-Eng/llama.cpp.
 */
import { float16ToFloat32 } from "../../quant/float16.ts";
import { unpackDigits } from "./base_3_digits.ts";
import { readUint16 } from "./half_floats.ts";
import type { ReadOnlyCodeType } from "./tensor_type.ts";

const blockElements = 128;
const blockBytes = 28;

const runs = [
  { byte: 0, count: 16, first: 0, digits: 5 },
  { byte: 16, count: 8, first: 80, digits: 5 },
  { byte: 24, count: 2, first: 120, digits: 4 },
] as const;

export const ptq1_0 = {
  kind: "read-only codes",
  name: "PTQ1_0",
  id: 143,
  blockElements,
  blockBytes,
  tailBytes: 0,
  inMemory: { elements: 64, bytes: 18 },
  holds: { levels: [-1, 0, 1], scales: "block", scaleDtype: "f16" },
  unpackRow(bytes: Uint8Array, offset: number, levels: Int8Array, scales: Float32Array) {
    for (let block = 0; block < levels.length / blockElements; block++) {
      const at = offset + block * blockBytes;
      unpackDigits(runs, bytes, at, levels, block * blockElements);
      scales[block] = float16ToFloat32(readUint16(bytes, at + 26));
    }
  },
} as const satisfies ReadOnlyCodeType;
