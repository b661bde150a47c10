/**
 * float16 (IEEE binary16) and bfloat16 conversions in integer code, rounding half to even.
 * Twin of native/cc/core/float16.h.
 */

const floatView = new Float32Array(1);
const bitsView = new Uint32Array(floatView.buffer);

/** Bits of the float32 nearest to `value`. */
function floatBits(value: number): number {
  floatView[0] = value;
  return bitsView[0];
}

function bitsFloat(bits: number): number {
  bitsView[0] = bits;
  return floatView[0];
}

/** Value of the float16 with these 16 bits. */
export function float16ToFloat32(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0x1f) return bitsFloat(sign | 0x7f800000 | (mantissa << 13));
  if (exponent !== 0) return bitsFloat(sign | ((exponent + 112) << 23) | (mantissa << 13));
  // Subnormal: mantissa * 2^-24 is exact.
  const magnitude = mantissa * 2 ** -24;
  return sign === 0 ? magnitude : -magnitude;
}

/** Bits of the float16 nearest to a float32 value, ties to even; overflow gives infinity. */
export function float32ToFloat16(value: number): number {
  const bits = floatBits(value);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // From here on values round to 65536 or more.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Below 2^-14: adding 0.5 in float32 aligns the value to units of 2^-24 and rounds half to even.
    return sign | (floatBits(bitsFloat(magnitude) + 0.5) - 0x3f000000);
  }
  const odd = (magnitude >>> 13) & 1;
  return sign | ((magnitude - 0x38000000 + 0xfff + odd) >>> 13);
}

/** Value of the bfloat16 with these 16 bits. */
export function bfloat16ToFloat32(bits: number): number {
  return bitsFloat(bits << 16);
}

/** Bits of the bfloat16 nearest to a float32 value, ties to even. */
export function float32ToBfloat16(value: number): number {
  const bits = floatBits(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}
