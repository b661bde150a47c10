/**
 * Holm's correction (1979, Scandinavian Journal of Statistics 6): of m tests the smallest p-value is multiplied by m, the next
 * by m - 1 ..., and none is smaller than the one before. Then the chance of a single wrong finding among all stays at the level.
 */

export interface HolmResult {
  /** Adjusted. */
  p: number;
  /** What it was multiplied by: an interval of the level alpha / factor leaves out 0 where the test alone finds something. */
  factor: number;
}

/** In the order of `values`. */
export function holm(values: readonly number[]): HolmResult[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b]);
  const results: HolmResult[] = new Array(values.length);
  let least = 0;
  for (const [rank, i] of order.entries()) {
    const factor = values.length - rank;
    least = Math.max(least, Math.min(1, values[i] * factor));
    results[i] = { p: least, factor };
  }
  return results;
}
