/** F32: IEEE binary32, 4 bytes per element. */
import type { FloatRowPacking } from "./row_packing.ts";

export const f32: FloatRowPacking = {
  packRow(values, out, offset) {
    const view = new DataView(out.buffer, out.byteOffset + offset, values.length * 4);
    for (let i = 0; i < values.length; i++) view.setFloat32(i * 4, values[i]!, true);
  },
  unpackRow(bytes, offset, values) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + offset, values.length * 4);
    for (let i = 0; i < values.length; i++) values[i] = view.getFloat32(i * 4, true);
  },
};
