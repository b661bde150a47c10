/** BF16: the upper half of an IEEE binary32, 2 bytes per element, rounded half to even. */
import { bfloat16ToFloat32, float32ToBfloat16 } from "../../quant/float16.ts";
import type { FloatRowPacking } from "./row_packing.ts";

export const bf16: FloatRowPacking = {
  packRow(values, out, offset) {
    for (let i = 0; i < values.length; i++) {
      const bits = float32ToBfloat16(values[i]!);
      out[offset + 2 * i] = bits;
      out[offset + 2 * i + 1] = bits >> 8;
    }
  },
  unpackRow(bytes, offset, values) {
    for (let i = 0; i < values.length; i++) {
      values[i] = bfloat16ToFloat32(bytes[offset + 2 * i]! | (bytes[offset + 2 * i + 1]! << 8));
    }
  },
};
