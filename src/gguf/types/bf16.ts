/** BF16: the upper half of an IEEE binary32, 2 bytes per element, rounded half to even. */
import { bfloat16ToFloat32, float32ToBfloat16 } from "../../quant/float16.ts";
import type { FloatTensorType } from "./tensor_type.ts";

export const bf16 = {
  kind: "floats",
  name: "BF16",
  id: 30,
  fileType: 32,
  blockElements: 1,
  blockBytes: 2,
  tailBytes: 0,
  dtype: "bf16",
  packRow(values: Float32Array, out: Uint8Array, offset: number) {
    for (let i = 0; i < values.length; i++) {
      const bits = float32ToBfloat16(values[i]);
      out[offset + 2 * i] = bits;
      out[offset + 2 * i + 1] = bits >> 8;
    }
  },
  unpackRow(bytes: Uint8Array, offset: number, values: Float32Array) {
    for (let i = 0; i < values.length; i++) {
      values[i] = bfloat16ToFloat32(bytes[offset + 2 * i] | (bytes[offset + 2 * i + 1] << 8));
    }
  },
} as const satisfies FloatTensorType;
