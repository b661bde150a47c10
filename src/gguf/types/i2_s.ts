/**
 * I2_S of bitnet.cpp: ternary, 2 bits per element; blocks of 128 elements in 32 bytes, and one scale for the tensor.
 *
 *   block      element j in byte j % 32, at bit 6 - 2 * (j / 32);  stored code = ternary + 1
 *   tensor     all rows, then float32 scale, then 28 bytes of 0
 *
 * This is the x86 layout. An ARM one (64 elements in 16 bytes) exists and carries no mark; it is neither written nor
 * read here.
 */
import type { TernaryRowPacking } from "./row_packing.ts";

const blockElements = 128;
const blockBytes = 32;
const tailBytes = 32;

/** The scale is not in the rows (see {@link packI2STail}); unpackRow leaves `scales` alone. */
export const i2_s: TernaryRowPacking = {
  blockElements,
  packRow(codes, _scale, out, offset) {
    for (let block = 0; block < codes.length / blockElements; block++) {
      const at = offset + block * blockBytes;
      for (let m = 0; m < 32; m++) {
        const e = block * blockElements + m;
        out[at + m] =
          ((codes[e]! + 1) << 6) | ((codes[e + 32]! + 1) << 4) | ((codes[e + 64]! + 1) << 2) | (codes[e + 96]! + 1);
      }
    }
  },
  unpackRow(bytes, offset, codes) {
    for (let block = 0; block < codes.length / blockElements; block++) {
      const at = offset + block * blockBytes;
      for (let j = 0; j < blockElements; j++) {
        codes[block * blockElements + j] = ((bytes[at + (j & 31)]! >> (6 - 2 * (j >> 5))) & 3) - 1;
      }
    }
  },
};

/** The 32 bytes after the last row. */
export function packI2STail(scale: number): Uint8Array {
  const tail = new Uint8Array(tailBytes);
  new DataView(tail.buffer).setFloat32(0, scale, true);
  return tail;
}

/** The scale of the tensor, from the 32 bytes after its last row. */
export function unpackI2STail(tail: Uint8Array): number {
  return new DataView(tail.buffer, tail.byteOffset).getFloat32(0, true);
}
