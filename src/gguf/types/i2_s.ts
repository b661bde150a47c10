/**
 * I2_S of bitnet.cpp: ternary, 2 bits per element; blocks of 128 elements in 32 bytes, and one scale for the tensor.
 *
 *   block      element j in byte j % 32, at bit 6 - 2 * (j / 32);  stored code = ternary + 1
 *   tensor     all rows, then float32 scale, then 28 bytes of 0
 *
 * This is the x86 layout. An ARM one (64 elements in 16 bytes) exists and carries no mark; it is neither written nor
 * read here. (llama.cpp gave 36 to a type of its own once, IQ4_NL_4_4, and has retired it.)
 */
import type { CodeTensorType } from "./tensor_type.ts";

const blockElements = 128;
const blockBytes = 32;
const tailBytes = 32;

export const i2_s = {
  kind: "codes",
  name: "I2_S",
  id: 36,
  fileType: 40,
  blockElements,
  blockBytes,
  tailBytes,
  holds: { levels: [-1, 0, 1], scales: "tensor", scaleDtype: "f32" },
  packRow(codes: Int8Array, _scales: Float32Array, out: Uint8Array, offset: number) {
    for (let block = 0; block < codes.length / blockElements; block++) {
      const at = offset + block * blockBytes;
      for (let m = 0; m < 32; m++) {
        const e = block * blockElements + m;
        out[at + m] =
          ((codes[e] + 1) << 6) | ((codes[e + 32] + 1) << 4) | ((codes[e + 64] + 1) << 2) | (codes[e + 96] + 1);
      }
    }
  },
  unpackRow(bytes: Uint8Array, offset: number, codes: Int8Array) {
    for (let block = 0; block < codes.length / blockElements; block++) {
      const at = offset + block * blockBytes;
      for (let j = 0; j < blockElements; j++) {
        codes[block * blockElements + j] = ((bytes[at + (j & 31)] >> (6 - 2 * (j >> 5))) & 3) - 1;
      }
    }
  },
  tail: {
    pack(scale: number) {
      const bytes = new Uint8Array(tailBytes);
      new DataView(bytes.buffer).setFloat32(0, scale, true);
      return bytes;
    },
    unpack: (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0, true),
  },
} as const satisfies CodeTensorType;
