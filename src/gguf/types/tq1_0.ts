/**
 * TQ1_0: ternary, 1.6875 bits per element; blocks of 256 elements in 54 bytes. Five digits (ternary + 1) of base 3
 * share a byte, the first one most significant; a byte holds ceil(v * 256 / 243), so that multiplying by 3 moves the
 * next digit into the carry.
 *
 *   bytes 0-31    qs[m]:      elements m + 32 n,        n = 0..4
 *   bytes 32-47   qs[32 + m]: elements 160 + m + 16 n,  n = 0..4
 *   bytes 48-51   qh[j]:      elements 240 + j + 4 n,   n = 0..3, then one digit 0
 *   bytes 52-53   float16 d;   value = ternary * d
 *
 * Source: block_tq1_0 and quantize_row_tq1_0_ref of ggml.
 */
import { float16ToFloat32, float32ToFloat16 } from "../../quant/float16.ts";
import { unpackDigits } from "./base_3_digits.ts";
import { readUint16, writeUint16 } from "./half_floats.ts";
import type { CodeTensorType } from "./tensor_type.ts";

const blockElements = 256;
const blockBytes = 54;

const runs = [
  { byte: 0, count: 32, first: 0, digits: 5 },
  { byte: 32, count: 16, first: 160, digits: 5 },
  { byte: 48, count: 4, first: 240, digits: 4 },
] as const;
const maxDigits = 5;

export const tq1_0 = {
  kind: "codes",
  name: "TQ1_0",
  id: 34,
  fileType: 36,
  blockElements,
  blockBytes,
  tailBytes: 0,
  holds: { levels: [-1, 0, 1], scales: "block", scaleDtype: "f16" },
  packRow(codes: Int8Array, scales: Float32Array, out: Uint8Array, offset: number) {
    for (let block = 0; block < codes.length / blockElements; block++) {
      const at = offset + block * blockBytes;
      const base = block * blockElements;
      for (const { byte, count, first, digits } of runs) {
        for (let m = 0; m < count; m++) {
          let v = 0;
          for (let n = 0; n < maxDigits; n++) v = v * 3 + (n < digits ? codes[base + first + m + count * n] + 1 : 0);
          out[at + byte + m] = Math.ceil((v * 256) / 243);
        }
      }
      writeUint16(out, at + 52, float32ToFloat16(scales[block]));
    }
  },
  unpackRow(bytes: Uint8Array, offset: number, codes: Int8Array, scales: Float32Array) {
    for (let block = 0; block < codes.length / blockElements; block++) {
      const at = offset + block * blockBytes;
      unpackDigits(runs, bytes, at, codes, block * blockElements);
      scales[block] = float16ToFloat32(readUint16(bytes, at + 52));
    }
  },
} as const satisfies CodeTensorType;
