/**
 * `absmax_int8`: the int8 activations of BitNet b1.58, one scale per token (row).
 *
 *     m         = max(max |x|, 1e-5)
 *     codes     = clip(round_half_even(x * (127 / m)), -128, 127)
 *     act_scale = m / 127                                          multiplies
 *
 * Every operation is float32. Twin of `quantize_row` in native/cc/core.
 */
import { z } from "zod";
import { roundAndClip } from "../quant/round_half_even.ts";
import {
  type ActivationQuantizerDefinition,
  type QuantizedRows,
  quantizeRows,
  rowQuantizer,
} from "./activation_quantizer.ts";

/** Lower limit of a row's max |x|: keeps the reciprocal of a row of zeros finite. */
export const smallestAbsmax = Math.fround(1e-5);

/** Codes -levels - 1 .. levels of one row by its largest magnitude, which becomes `levels`. Returns act_scale. */
export function absmaxRow(levels: number, x: Float32Array, begin: number, cols: number, codes: Int8Array): number {
  let largest = smallestAbsmax;
  for (let i = begin; i < begin + cols; i++) {
    const magnitude = Math.abs(x[i]);
    if (magnitude > largest) largest = magnitude;
  }
  const inverse = Math.fround(levels / largest);
  for (let i = begin; i < begin + cols; i++) {
    codes[i] = roundAndClip(Math.fround(x[i] * inverse), -levels - 1, levels);
  }
  return Math.fround(largest / levels);
}

export type Int8Rows = QuantizedRows;

const row = absmaxRow.bind(null, 127);

/** Quantizes every row of x [rows, cols]. */
export function absmaxInt8(x: Float32Array, rows: number, cols: number): Int8Rows {
  return quantizeRows(row, x, rows, cols);
}

export const absmaxInt8Quantizer: ActivationQuantizerDefinition = {
  name: "absmax_int8",
  options: z.strictObject({}),
  create: rowQuantizer("absmax_int8", 8, row),
};
