/**
 * Percentile bootstrap (Efron 1979): what a statistic would have been in samples drawn from the sample, with replacement.
 * Draws are counter-based, so the same values and seed give the same interval. Of few values (below about 10) the interval
 * is narrower than it should be: they are drawn again and again, and hold no surprise. Read it beside the t interval.
 */
import { CounterRng } from "../random/counter_rng.ts";
import type { Interval } from "./sample.ts";

export const defaultResamples = 10_000;

export interface BootstrapOptions {
  resamples?: number;
  seed?: number;
}

/** As many values as there are, drawn from them, again and again. */
export function* resampled<T>(
  values: readonly T[],
  { resamples = defaultResamples, seed = 0 }: BootstrapOptions = {},
): Generator<T[]> {
  const rng = new CounterRng(seed, "bootstrap");
  for (let i = 0; i < resamples; i++) yield values.map(() => rng.pick(values));
}

/** The statistic of each resample, sorted. */
export function bootstrapSamples<T>(
  values: readonly T[],
  statistic: (sample: readonly T[]) => number,
  options?: BootstrapOptions,
): Float64Array {
  return Float64Array.from(resampled(values, options), statistic).sort();
}

/** The middle `confidence` of sorted samples, between neighbours by proportion (numpy's default). */
export function percentileInterval(sorted: Float64Array, confidence: number): Interval {
  const at = (share: number) => {
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  };
  return { low: at((1 - confidence) / 2), high: at((1 + confidence) / 2) };
}
