/** Differences of pairs: what two arms make of the same seeds. */
import { bootstrapSamples, percentileInterval } from "./bootstrap.ts";
import { type Interval, mean, standardDeviation } from "./sample.ts";
import { noncentralTail, tProbability, tQuantile } from "./student_t.ts";

export interface PairedDifference {
  /** Pairs. */
  n: number;
  mean: number;
  /** Of the differences, with n - 1 below. Null, as all that follows, where there are fewer than two pairs. */
  sd: number | null;
  standardError: number | null;
  tInterval: Interval | null;
  bootstrapInterval: Interval | null;
  /** Of the paired t test, two-sided. */
  p: number | null;
}

/** @param differences at least one */
export function pairedDifference(differences: readonly number[], confidence: number): PairedDifference {
  const n = differences.length;
  const centre = mean(differences);
  const sd = standardDeviation(differences);
  if (sd === null) {
    return { n, mean: centre, sd, standardError: null, tInterval: null, bootstrapInterval: null, p: null };
  }
  const standardError = sd / Math.sqrt(n);
  return {
    n,
    mean: centre,
    sd,
    standardError,
    tInterval: tInterval(centre, standardError, n, confidence),
    bootstrapInterval: percentileInterval(bootstrapSamples(differences, mean), confidence),
    p: pValue(centre, standardError, n),
  };
}

export function tInterval(centre: number, standardError: number, n: number, confidence: number): Interval {
  const half = standardError === 0 ? 0 : tQuantile((1 + confidence) / 2, n - 1) * standardError;
  return { low: centre - half, high: centre + half };
}

function pValue(centre: number, standardError: number, n: number): number {
  if (standardError === 0) return centre === 0 ? 1 : 0;
  return tProbability(centre / standardError, n - 1);
}

/** No study repeats more seeds: then "none that would do" says more than a number. */
const mostPairs = 1000;

/**
 * Pairs at which a paired t test of the level 1 - `confidence` finds a true `difference` with probability `power`; null if
 * more than 1000. By the noncentral t distribution.
 * @param sd of the differences
 */
export function neededPairs(difference: number, sd: number, confidence: number, power = 0.8): number | null {
  const effect = Math.abs(difference) / sd;
  for (let n = 2; n <= mostPairs; n++) {
    const critical = tQuantile((1 + confidence) / 2, n - 1);
    // The wrong side's share of the power is below the digits that count.
    if (noncentralTail(critical, n - 1, effect * Math.sqrt(n)) >= power) return n;
  }
  return null;
}
