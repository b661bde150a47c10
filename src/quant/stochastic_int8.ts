/**
 * Stochastic rounding of gradients for int8 backward products.
 *
 *     code = floor(clip(v, -127, 127) + u)       u uniform in [0, 1), so that the mean of the codes is v
 *
 * u is half of a hash of (key, index): the upper half for the codes by token (dX), the lower one for those by out
 * feature (dW). No order, no threads in it. Every operation is float32. Twin of `round_stochastic` in
 * native/cc/training.
 */
import { mix32 } from "../random/counter_rng.ts";

export type RoundedOperand = "token" | "feature";

/** Code of a float32 value. `index` is the element's place in dY, row-major. */
export function stochasticCode(value: number, operand: RoundedOperand, key: number, index: number): number {
  const hash = mix32(key ^ Math.imul(index, 0x9e3779b1));
  const u = (operand === "token" ? hash >>> 16 : hash & 0xffff) * 2 ** -16;
  return Math.floor(Math.fround(Math.min(Math.max(value, -127), 127) + u));
}

/** Steps of the largest magnitude: 127 of them; none where it vanishes. */
export function stepSize(largest: number): { scale: number; inverse: number } {
  if (largest < 1e-30) return { scale: 0, inverse: 0 };
  return { scale: Math.fround(largest / 127), inverse: largest > 0 ? Math.fround(127 / largest) : 0 };
}
