/** F32: IEEE binary32, 4 bytes per element. */
import type { FloatTensorType } from "./tensor_type.ts";

export const f32 = {
  kind: "floats",
  name: "F32",
  id: 0,
  fileType: 0,
  blockElements: 1,
  blockBytes: 4,
  tailBytes: 0,
  dtype: "f32",
  packRow(values: Float32Array, out: Uint8Array, offset: number) {
    const view = new DataView(out.buffer, out.byteOffset + offset, values.length * 4);
    for (let i = 0; i < values.length; i++) view.setFloat32(i * 4, values[i], true);
  },
  unpackRow(bytes: Uint8Array, offset: number, values: Float32Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + offset, values.length * 4);
    for (let i = 0; i < values.length; i++) values[i] = view.getFloat32(i * 4, true);
  },
} as const satisfies FloatTensorType;
