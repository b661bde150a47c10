/**
 * What `Math.max(...values)` and `push(...values)` do, for arrays of any length: each value of a spread is an argument, and
 * beyond about a hundred thousand of them the stack is full. `test/checks` keeps spreads out of such calls.
 */

/** The largest value, at least `least` (default -Infinity); NaN if there is one. */
export function largest(values: Iterable<number>, least = -Infinity): number {
  let most = least;
  for (const value of values) most = Math.max(most, value);
  return most;
}

/** The smallest value; Infinity of nothing, NaN if there is one. */
export function smallest(values: Iterable<number>): number {
  let least = Infinity;
  for (const value of values) least = Math.min(least, value);
  return least;
}

/** Puts `values` behind those of `target`. */
export function append<T>(target: T[], values: Iterable<T>): void {
  for (const value of values) target.push(value);
}
