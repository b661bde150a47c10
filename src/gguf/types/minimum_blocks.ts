/** Blocks of 32 codes of Q5_1 and Q4_1: a float16 scale d, a float16 minimum m, value = code * d + m. */
import { float16ToFloat32 } from "../../quant/float16.ts";
import { readUint16 } from "./half_floats.ts";

const blockElements = 32;

/** @param bits of a code, 4 or 5: the fifth ones stand before the others */
export function unpackMinimumBlocks(bits: 4 | 5) {
  const lowAt = bits === 5 ? 8 : 4;
  const blockBytes = lowAt + 16;
  return (bytes: Uint8Array, offset: number, values: Float32Array): void => {
    for (let block = 0; block < values.length / blockElements; block++) {
      const at = offset + block * blockBytes;
      const d = float16ToFloat32(readUint16(bytes, at));
      const m = float16ToFloat32(readUint16(bytes, at + 2));
      for (let i = 0; i < blockElements; i++) {
        const low = (bytes[at + lowAt + (i & 15)] >> (4 * (i >> 4))) & 15;
        const high = bits === 5 ? (bytes[at + 4 + (i >> 3)] >> (i & 7)) & 1 : 0;
        // Rounded once, when it is stored: the product is exact.
        values[block * blockElements + i] = (low | (high << 4)) * d + m;
      }
    }
  };
}
