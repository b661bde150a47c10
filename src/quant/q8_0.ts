/**
 * Q8_0, ggml's 8-bit blocks: 32 values share one float16 scale d.
 *
 *     a = max |x| / 127 (float32);  d = float16(a);  codes = clip(round_half_even(x * (1 / a)), -128, 127)
 *     value = code * d
 *
 * The codes use the scale before its float16 rounding, as ggml does; a block of zeros has d = 0 and codes 0.
 */
import { float16ToFloat32, float32ToFloat16 } from "./float16.ts";
import { roundAndClip } from "./round_half_even.ts";

export const q8BlockSize = 32;

export interface Q8Blocks {
  /** float16 bits of d, one per block. */
  scales: Uint16Array;
  codes: Int8Array;
}

/** Quantizes `values`; its length is a multiple of 32. */
export function quantizeQ8(values: Float32Array): Q8Blocks {
  if (values.length % q8BlockSize !== 0) {
    throw new RangeError(`q8_0 needs a multiple of ${q8BlockSize} values, got ${values.length}`);
  }
  const scales = new Uint16Array(values.length / q8BlockSize);
  const codes = new Int8Array(values.length);
  for (let block = 0; block < scales.length; block++) {
    const begin = block * q8BlockSize;
    let largest = 0;
    for (let i = begin; i < begin + q8BlockSize; i++) largest = Math.max(largest, Math.abs(values[i]));
    const scale = Math.fround(largest / 127);
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    scales[block] = float32ToFloat16(scale);
    for (let i = begin; i < begin + q8BlockSize; i++) {
      codes[i] = roundAndClip(Math.fround(values[i] * inverse), -128, 127);
    }
  }
  return { scales, codes };
}

/** The float32 values that the blocks stand for. */
export function dequantizeQ8({ scales, codes }: Q8Blocks): Float32Array {
  const values = new Float32Array(codes.length);
  for (let block = 0; block < scales.length; block++) {
    const scale = float16ToFloat32(scales[block]);
    const begin = block * q8BlockSize;
    for (let i = begin; i < begin + q8BlockSize; i++) values[i] = codes[i] * scale;
  }
  return values;
}
