/**
 * Absmax int8 activations of BitNet b1.58: one scale per token (row).
 *
 *     m         = max(max |x|, 1e-5)
 *     codes     = clip(round_half_even(x * (127 / m)), -128, 127)
 *     act_scale = m / 127                                          multiplies
 *
 * Every operation is float32. Twin of `quantize_row` in native/cc/core.
 */
import { z } from "zod";
import { roundAndClip } from "../quant/round_half_even.ts";
import type { ActivationQuantizerDefinition, QuantizedRows } from "./activation_quantizer.ts";

/** Lower limit of a row's max |x|: keeps the reciprocal of a row of zeros finite. */
export const smallestAbsmax = Math.fround(1e-5);

/** Quantizes one row x[begin .. begin + cols) into codes at the same place. Returns act_scale. */
export function absmaxInt8Row(x: Float32Array, begin: number, cols: number, codes: Int8Array): number {
  let largest = smallestAbsmax;
  for (let i = begin; i < begin + cols; i++) {
    const magnitude = Math.abs(x[i]);
    if (magnitude > largest) largest = magnitude;
  }
  const inverse = Math.fround(127 / largest);
  for (let i = begin; i < begin + cols; i++) codes[i] = roundAndClip(Math.fround(x[i] * inverse), -128, 127);
  return Math.fround(largest / 127);
}

export type Int8Rows = QuantizedRows;

/** Quantizes every row of x [rows, cols]. */
export function absmaxInt8(x: Float32Array, rows: number, cols: number): Int8Rows {
  const codes = new Int8Array(rows * cols);
  const actScales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) actScales[row] = absmaxInt8Row(x, row * cols, cols, codes);
  return { codes, actScales };
}

export const absmaxInt8Quantizer: ActivationQuantizerDefinition = {
  name: "absmax_int8",
  options: z.strictObject({}),
  create: () => ({
    name: "absmax_int8",
    bits: 8,
    per: "token",
    fused: "absmax_int8",
    engine: "absmax_int8",
    quantize: absmaxInt8,
  }),
};
