/** F16: IEEE binary16, 2 bytes per element, rounded half to even. */
import { float16ToFloat32, float32ToFloat16 } from "../../quant/float16.ts";
import { halfFloatRows } from "./half_floats.ts";
import type { FloatTensorType } from "./tensor_type.ts";

export const f16 = {
  kind: "floats",
  name: "F16",
  id: 1,
  fileType: 1,
  blockElements: 1,
  blockBytes: 2,
  tailBytes: 0,
  dtype: "f16",
  ...halfFloatRows(float32ToFloat16, float16ToFloat32),
} as const satisfies FloatTensorType;
