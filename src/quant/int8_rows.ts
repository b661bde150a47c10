/**
 * Int8 rows: the embedding and head of `embedding_dtype: int8_row`, one float16 scale d per row.
 *
 *     a = max |w| / 127 (float32);  d = float16(a);  codes = clip(round_half_even(w * (1 / a)), -127, 127)
 *     value = code * d
 *
 * The codes use the scale before its float16 rounding, as those of Q8_0, whose blocks store these rows with the row's d
 * in each. A row whose d is 0 has codes 0. A row of such values is its own quantization: its largest code is 127 or
 * -127, so a is d again. Twin of `int8_row` in native/cc/core.
 */
import { float16ToFloat32, float32ToFloat16 } from "./float16.ts";
import { roundAndClip } from "./round_half_even.ts";

export interface Int8RowMatrix {
  /** Row-major. */
  codes: Int8Array;
  /** d of each row, values of float16. */
  scales: Float32Array;
}

/** Quantizes rows of `cols` values. */
export function quantizeInt8Rows(values: Float32Array, cols: number): Int8RowMatrix {
  const codes = new Int8Array(values.length);
  const scales = new Float32Array(values.length / cols);
  for (let row = 0; row < scales.length; row++) {
    const begin = row * cols;
    let largest = 0;
    for (let i = begin; i < begin + cols; i++) largest = Math.max(largest, Math.abs(values[i]));
    const scale = Math.fround(largest / 127);
    scales[row] = float16ToFloat32(float32ToFloat16(scale));
    if (scales[row] === 0) continue;
    const inverse = Math.fround(1 / scale);
    for (let i = begin; i < begin + cols; i++) {
      codes[i] = roundAndClip(Math.fround(values[i] * inverse), -127, 127);
    }
  }
  return { codes, scales };
}

/** The float32 values that the rows stand for: exact products. */
export function dequantizeInt8Rows({ codes, scales }: Int8RowMatrix): Float32Array {
  const cols = codes.length / scales.length;
  const values = new Float32Array(codes.length);
  for (let row = 0; row < scales.length; row++) {
    for (let i = row * cols; i < (row + 1) * cols; i++) values[i] = codes[i] * scales[row];
  }
  return values;
}
