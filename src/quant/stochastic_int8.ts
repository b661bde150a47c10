/**
 * Stochastic rounding of gradients for int8 backward products.
 *
 *     code = clip(floor(v + u), -127, 127)       u uniform in [0, 1), so that the mean of the codes is v
 *
 * u has 24 bits of a hash of (key, index): no order, no threads in it. Every operation is float32. Twin of
 * `round_stochastic` in native/cc/training.
 */
import { mix32 } from "../random/counter_rng.ts";

/** Operands draw from streams of their own. */
export const roundedOperands = { rows: 0x2545f491, columns: 0x9e3779b9 } as const;

/** Key of one operand of the product with `roundingKey`. */
export function operandKey(roundingKey: number, operand: keyof typeof roundedOperands): number {
  return mix32(roundingKey ^ roundedOperands[operand]);
}

/** Code of a float32 value. `index` is the element's place in its matrix, row-major. */
export function stochasticCode(value: number, key: number, index: number): number {
  const u = (mix32(key ^ Math.imul(index, 0x9e3779b1)) >>> 8) * 2 ** -24;
  const limited = Math.min(Math.max(value, -127), 127);
  return Math.min(Math.floor(Math.fround(limited + u)), 127);
}

/** Steps of the largest magnitude: 127 of them; none where it vanishes. */
export function stepSize(largest: number): { scale: number; inverse: number } {
  if (largest < 1e-30) return { scale: 0, inverse: 0 };
  return { scale: Math.fround(largest / 127), inverse: largest > 0 ? Math.fround(127 / largest) : 0 };
}
