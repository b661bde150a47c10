/**
 * Q8_0: blocks of 32 elements in 34 bytes.
 *
 *   bytes 0-1    float16 d
 *   bytes 2-33   int8 codes;   value = code * d
 *
 * Codes round half to even (src/quant/q8_0.ts), where ggml's own quantizer rounds half away from zero.
 *
 * `q8_0Rows` is the same with one d for all blocks of a row (src/quant/int8_rows.ts).
 */
import { float16ToFloat32, float32ToFloat16 } from "../../quant/float16.ts";
import { quantizeInt8Rows } from "../../quant/int8_rows.ts";
import { q8BlockSize, quantizeQ8 } from "../../quant/q8_0.ts";
import { readUint16, writeUint16 } from "./half_floats.ts";
import type { FloatTensorType } from "./tensor_type.ts";

const blockBytes = 2 + q8BlockSize;

/** @param scaleOf float16 bits of a block's d */
function writeBlocks(codes: Int8Array, scaleOf: (block: number) => number, out: Uint8Array, offset: number): void {
  for (let block = 0; block < codes.length / q8BlockSize; block++) {
    const at = offset + block * blockBytes;
    writeUint16(out, at, scaleOf(block));
    for (let i = 0; i < q8BlockSize; i++) out[at + 2 + i] = codes[block * q8BlockSize + i];
  }
}

export const q8_0 = {
  kind: "floats",
  name: "Q8_0",
  id: 8,
  fileType: 7,
  blockElements: q8BlockSize,
  blockBytes,
  tailBytes: 0,
  dtype: "q8_0",
  packRow(values: Float32Array, out: Uint8Array, offset: number) {
    const { scales, codes } = quantizeQ8(values);
    writeBlocks(codes, (block) => scales[block], out, offset);
  },
  unpackRow(bytes: Uint8Array, offset: number, values: Float32Array) {
    for (let block = 0; block < values.length / q8BlockSize; block++) {
      const at = offset + block * blockBytes;
      const d = float16ToFloat32(readUint16(bytes, at));
      for (let i = 0; i < q8BlockSize; i++) values[block * q8BlockSize + i] = ((bytes[at + 2 + i] << 24) >> 24) * d;
    }
  },
} as const satisfies FloatTensorType;

/** How an int8 embedding and head are written. Read as any Q8_0. */
export const q8_0Rows: FloatTensorType = {
  ...q8_0,
  dtype: "int8_row",
  packRow(values: Float32Array, out: Uint8Array, offset: number) {
    const { scales, codes } = quantizeInt8Rows(values, values.length);
    const bits = float32ToFloat16(scales[0]);
    writeBlocks(codes, () => bits, out, offset);
  },
};
