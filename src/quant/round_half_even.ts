/**
 * Rounding half to even, as every quantizer here rounds. `Math.round` rounds half up.
 */

/** 1.5 * 2^52: a float64 sum with it has no bits left for fractions, so the addition itself rounds half to even. */
const integerAligner = 6755399441055744;

/** Nearest integer, ties to even. Exact for |value| < 2^51; infinities stay, NaN stays. */
export function roundHalfEven(value: number): number {
  return value + integerAligner - integerAligner;
}

/** `roundHalfEven` limited to [low, high]. NaN becomes `low`, as in the kernels. */
export function roundAndClip(value: number, low: number, high: number): number {
  const rounded = roundHalfEven(value);
  if (!(rounded >= low)) return low;
  return rounded > high ? high : rounded;
}
