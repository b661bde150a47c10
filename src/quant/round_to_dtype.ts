/**
 * Rounding of float32 values to the types that files store: the scale of a ternary matrix (`scale_dtype`) and the
 * embedding (`embedding_dtype`). The training forward rounds too, so an export in that type loses nothing.
 */
import type { EmbeddingDtype, FloatDtype, ScaleDtype } from "./dtypes.ts";
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from "./float16.ts";
import { dequantizeInt8Rows, quantizeInt8Rows } from "./int8_rows.ts";
import { dequantizeQ8, quantizeQ8 } from "./q8_0.ts";

/** `scale` (a float32 value) rounded to the nearest value of `dtype`, ties to even. */
export function roundScale(scale: number, dtype: ScaleDtype): number {
  switch (dtype) {
    case "f16":
      return float16ToFloat32(float32ToFloat16(scale));
    case "bf16":
      return bfloat16ToFloat32(float32ToBfloat16(scale));
    case "f32":
      return Math.fround(scale);
  }
}

/** A new array of the values as `dtype` stores them. q8_0 takes blocks of 32 in memory order. */
export function roundToDtype(values: Float32Array, dtype: FloatDtype): Float32Array {
  if (dtype === "q8_0") return dequantizeQ8(quantizeQ8(values));
  return values.map((value) => roundScale(value, dtype));
}

/** The same of a matrix with rows of `cols` values, each of which has a scale of its own in int8_row. */
export function roundRows(values: Float32Array, cols: number, dtype: EmbeddingDtype): Float32Array {
  return dtype === "int8_row" ? dequantizeInt8Rows(quantizeInt8Rows(values, cols)) : roundToDtype(values, dtype);
}
