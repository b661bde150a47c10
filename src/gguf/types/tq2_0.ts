/**
 * TQ2_0: ternary, 2 bits per element; blocks of 256 elements in 66 bytes.
 *
 *   bytes 0-63    qs: element e in byte (e / 128) * 32 + e % 32, at bit 2 * ((e % 128) / 32);  stored code = ternary + 1
 *   bytes 64-65   float16 d;   value = ternary * d
 *
 * Source: block_tq2_0 and quantize_row_tq2_0_ref of ggml.
 */
import { float16ToFloat32, float32ToFloat16 } from "../../quant/float16.ts";
import { readUint16, writeUint16 } from "./half_floats.ts";
import type { CodeTensorType } from "./tensor_type.ts";

const blockElements = 256;
const blockBytes = 66;

export const tq2_0 = {
  kind: "codes",
  name: "TQ2_0",
  id: 35,
  fileType: 37,
  blockElements,
  blockBytes,
  tailBytes: 0,
  holds: { levels: [-1, 0, 1], scales: "block", scaleDtype: "f16" },
  packRow(codes: Int8Array, scales: Float32Array, out: Uint8Array, offset: number) {
    for (let block = 0; block < codes.length / blockElements; block++) {
      const at = offset + block * blockBytes;
      for (let half = 0; half < 2; half++) {
        for (let m = 0; m < 32; m++) {
          const e = block * blockElements + half * 128 + m;
          out[at + half * 32 + m] =
            (codes[e] + 1) | ((codes[e + 32] + 1) << 2) | ((codes[e + 64] + 1) << 4) | ((codes[e + 96] + 1) << 6);
        }
      }
      writeUint16(out, at + 64, float32ToFloat16(scales[block]));
    }
  },
  unpackRow(bytes: Uint8Array, offset: number, codes: Int8Array, scales: Float32Array) {
    for (let block = 0; block < codes.length / blockElements; block++) {
      const at = offset + block * blockBytes;
      for (let e = 0; e < blockElements; e++) {
        const packed = bytes[at + (e >> 7) * 32 + (e & 31)];
        codes[block * blockElements + e] = ((packed >> (2 * ((e & 127) >> 5))) & 3) - 1;
      }
      scales[block] = float16ToFloat32(readUint16(bytes, at + 64));
    }
  },
} as const satisfies CodeTensorType;
