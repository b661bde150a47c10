/** F16: IEEE binary16, 2 bytes per element, rounded half to even. */
import { float16ToFloat32, float32ToFloat16 } from "../../quant/float16.ts";
import type { FloatRowPacking } from "./row_packing.ts";

export const f16: FloatRowPacking = {
  packRow(values, out, offset) {
    for (let i = 0; i < values.length; i++) {
      const bits = float32ToFloat16(values[i]!);
      out[offset + 2 * i] = bits;
      out[offset + 2 * i + 1] = bits >> 8;
    }
  },
  unpackRow(bytes, offset, values) {
    for (let i = 0; i < values.length; i++) {
      values[i] = float16ToFloat32(bytes[offset + 2 * i]! | (bytes[offset + 2 * i + 1]! << 8));
    }
  },
};
