/**
 * STQ1_0 of AngelSlim (Sherry, arXiv 2601.07892): ternary, 1.3125 bits per element; blocks of 256 elements in 42 bytes.
 * Of four elements one is 0; a slot of 4 bits and a sign say which and what the others are.
 *
 *   bytes 0-31    slot of group g, g = 0..63: byte g / 2, the lower 4 bits for even g
 *   bytes 32-39   sign of group g: byte 32 + g / 8, bit g % 8
 *   bytes 40-41   float16 d;   value = ternary * d
 *
 *   group         elements 64 (g / 16) + g % 16 + 16 p, p = 0..3: neighbours in a group are 16 apart
 *   slot          bits 2-3: the p of the zero; of the other three in order, the first is +1, the second and third are
 *                 -1 where bit 0 and bit 1 are set; where the sign is set, all three are negated
 *
 * The first files have llama.cpp's number of Q2_0 (`type_number.ts`). Read only. Source: llama.cpp #22836, which was open
 * when this was written; vLLM's codec and a reader of Hy4-preview, who compared its values with the Q4_K of the same
 * model, agree.
 */
import { float16ToFloat32 } from "../../quant/float16.ts";
import { readUint16 } from "./half_floats.ts";
import type { ReadOnlyCodeType } from "./tensor_type.ts";

const blockElements = 256;
const blockBytes = 42;
const groups = blockElements / 4;

/** Element p of a group. */
function levelOf(slot: number, sign: number, p: number): number {
  const zero = slot >> 2;
  if (p === zero) return 0;
  const place = p < zero ? p : p - 1;
  const isNegative = (place === 0 ? 0 : (slot >> (place - 1)) & 1) !== sign;
  return isNegative ? -1 : 1;
}

/** By sign, slot and element. */
const levelTable = Int8Array.from({ length: 128 }, (_, i) => levelOf((i >> 2) & 15, i >> 6, i & 3));

export const stq1_0 = {
  kind: "read-only codes",
  name: "STQ1_0",
  id: 43,
  blockElements,
  blockBytes,
  tailBytes: 0,
  inMemory: { elements: 64, bytes: 18 },
  holds: { levels: [-1, 0, 1], scales: "block", scaleDtype: "f16" },
  unpackRow(bytes: Uint8Array, offset: number, levels: Int8Array, scales: Float32Array) {
    for (let block = 0; block < levels.length / blockElements; block++) {
      const at = offset + block * blockBytes;
      for (let g = 0; g < groups; g++) {
        const slot = (bytes[at + (g >> 1)] >> (4 * (g & 1))) & 15;
        const sign = (bytes[at + 32 + (g >> 3)] >> (g & 7)) & 1;
        const first = block * blockElements + (g >> 4) * 64 + (g & 15);
        for (let p = 0; p < 4; p++) levels[first + 16 * p] = levelTable[(sign << 6) | (slot << 2) | p];
      }
      scales[block] = float16ToFloat32(readUint16(bytes, at + 40));
    }
  },
} as const satisfies ReadOnlyCodeType;
