/** Histograms with equal bins. */

export interface Histogram {
  /** Where the first bin begins and the last one ends. */
  low: number;
  high: number;
  /** What lies beyond a limit is in the bin beside it. */
  counts: number[];
}

export const histogramBins = 64;

/** Counts of `values` in {@link histogramBins} bins from low to high. All of them in the middle where low = high. */
export function histogram(values: Float32Array, low: number, high: number): Histogram {
  const counts = new Array<number>(histogramBins).fill(0);
  const perUnit = high > low ? histogramBins / (high - low) : 0;
  for (let i = 0; i < values.length; i++) {
    const bin = perUnit === 0 ? histogramBins >> 1 : Math.floor((values[i] - low) * perUnit);
    counts[bin < 0 ? 0 : bin >= histogramBins ? histogramBins - 1 : bin]++;
  }
  return { low, high, counts };
}

/** Root mean squares that a histogram around 0 reaches to, at most: distributions with long tails keep their middle. */
const reach = 8;

/** Between the negative and the positive of the largest magnitude, or of {@link reach} root mean squares. */
export function symmetricHistogram(values: Float32Array): Histogram {
  let largest = 0;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    const magnitude = Math.abs(values[i]);
    if (magnitude > largest) largest = magnitude;
    squares += magnitude * magnitude;
  }
  const limit = Math.min(largest, reach * Math.sqrt(squares / values.length));
  return histogram(values, -limit, limit);
}
