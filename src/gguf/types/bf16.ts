/** BF16: the upper half of an IEEE binary32, 2 bytes per element, rounded half to even. */
import { bfloat16ToFloat32, float32ToBfloat16 } from "../../quant/float16.ts";
import { halfFloatRows } from "./half_floats.ts";
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
  ...halfFloatRows(float32ToBfloat16, bfloat16ToFloat32),
} as const satisfies FloatTensorType;
