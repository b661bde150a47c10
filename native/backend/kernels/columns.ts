/** Tensors side by side on the last axis, and their parts again: rows are copied whole. */
import type * as tf from "@tensorflow/tfjs";
import type { NativeBackend } from "../native_backend.ts";
import { lastDimension, type NativeKernel, numberedInputs, requireInput } from "./kernel.ts";

/** {part0 [..., N0], part1 [..., N1], ...} -> [..., N0 + N1 + ...]. */
export const concatColumns: NativeKernel = {
  name: "ConcatColumns",
  run(inputs, _, backend: NativeBackend): tf.TensorInfo {
    const parts = numberedInputs(inputs, "part");
    const outer = parts[0].shape.slice(0, -1);
    const fits = parts.every(({ shape }) => String(shape.slice(0, -1)) === String(outer));
    requireInput(fits, "ConcatColumns", () => `rows of ${parts.map(({ shape }) => `[${shape}]`).join(", ")}`);
    const width = parts.reduce((sum, part) => sum + lastDimension(part), 0);
    const y = backend.allocate([...outer, width]);
    let first = 0;
    for (const part of parts) {
      const [columns, values] = [lastDimension(part), backend.floats(part)];
      for (let from = 0, to = first; from < values.length; from += columns, to += width) {
        y.values.set(values.subarray(from, from + columns), to);
      }
      first += columns;
    }
    return y.info;
  },
};

/** {x [..., N0 + N1 + ...]} -> parts of the `widths` N0, N1, ... */
export const splitColumns: NativeKernel<{ widths: readonly number[] }> = {
  name: "SplitColumns",
  run({ x }, { widths }, backend: NativeBackend): tf.TensorInfo[] {
    const width = lastDimension(x);
    const values = backend.floats(x);
    requireInput(
      widths.reduce((sum, each) => sum + each, 0) === width,
      "SplitColumns",
      () => `widths ${widths.join(", ")} of x [${x.shape}]`,
    );
    let first = 0;
    return widths.map((columns) => {
      const part = backend.allocate([...x.shape.slice(0, -1), columns]);
      for (let from = first, to = 0; to < part.values.length; from += width, to += columns) {
        part.values.set(values.subarray(from, from + columns), to);
      }
      first += columns;
      return part.info;
    });
  },
};
