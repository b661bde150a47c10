/**
 * Is the difference of two models on the same documents more than chance? Everything is paired by document: what both get
 * right or wrong says nothing, so far smaller differences are told apart than by comparing two standard errors.
 *
 * - Metrics of 0 and 1 (accuracy, exact match): McNemar's exact test, the two-sided binomial test of how the documents
 *   that only one model gets right are shared out (Dietterich 1998; exact, so right for any number of documents).
 * - Other means: the paired z test, mean(d) / (sd(d) / sqrt(n)) (Miller 2024, "Adding error bars to evals", section 4).
 * - Scores of all documents together (perplexities, F1, MCC, Brier): a paired bootstrap over the documents (Koehn 2004).
 * - Where there are few documents, neither holds: of means and scores the exact permutation test, how many of the 2^n ways
 *   to exchange the models' values of a document differ as much (Fisher 1935).
 * - Shares of different documents: Fisher's exact test of the fourfold table.
 */
import { largest } from "../../arrays/large_arrays.ts";
import { CounterRng } from "../../random/counter_rng.ts";
import { mean, meanStandardError, sampleDeviation } from "../score/metrics.ts";

export interface PairedTest {
  test: "McNemar" | "paired z" | "paired bootstrap" | "permutation";
  /** b - a. */
  difference: number;
  /** Standard error of the difference; null for fewer than two documents. */
  standardError: number | null;
  /** Two-sided; null for fewer than two documents. */
  pValue: number | null;
  documents: number;
  /** Documents that only a, or only b, gets right; null unless the metric is 0 or 1. */
  onlyA: number | null;
  onlyB: number | null;
}

function logFactorials(n: number): Float64Array {
  const values = new Float64Array(n + 1);
  for (let i = 2; i <= n; i++) values[i] = values[i - 1] + Math.log(i);
  return values;
}

/** Two-sided exact binomial test of `a` against `b` at one half. */
export function mcNemarExact(a: number, b: number): number {
  const n = a + b;
  if (n === 0) return 1;
  const logFactorial = logFactorials(n);
  const smaller = Math.min(a, b);
  let tail = 0;
  for (let k = 0; k <= smaller; k++) {
    tail += Math.exp(logFactorial[n] - logFactorial[k] - logFactorial[n - k] - n * Math.LN2);
  }
  return Math.min(1, 2 * tail);
}

/** Two-sided p-value of a standard normal z: erfc(|z| / sqrt 2), by Chebyshev fitting (relative error below 1.2e-7). */
export function normalPValue(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * x);
  const coefficients = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
    0.17087277,
  ];
  return t * Math.exp(-x * x + coefficients.reduceRight((sum, value) => sum * t + value, 0));
}

/** Means of `a` and `b`, one value for each document. */
export function pairedMeans(a: readonly number[], b: readonly number[]): PairedTest {
  const n = a.length;
  const differences = a.map((value, i) => b[i] - value);
  const difference = mean(differences);
  const standardError = meanStandardError(differences);
  if ([...a, ...b].every((value) => value === 0 || value === 1)) {
    const onlyA = differences.filter((value) => value < 0).length;
    const onlyB = differences.filter((value) => value > 0).length;
    const pValue = n < 2 ? null : mcNemarExact(onlyA, onlyB);
    return { test: "McNemar", difference, standardError, pValue, documents: n, onlyA, onlyB };
  }
  const others = { difference, standardError, documents: n, onlyA: null, onlyB: null };
  if (n <= mostPermuted) {
    const pValue = n < 2 ? null : permutationPValue(a, b, (values) => mean(values));
    return { test: "permutation", pValue, ...others };
  }
  return { test: "paired z", pValue: zPValue(differences, difference, standardError!), ...others };
}

/** Differences that are all the same have no spread to compare with: only their signs can be exchanged. */
function zPValue(differences: readonly number[], difference: number, standardError: number): number {
  const size = largest(differences.map(Math.abs));
  if (size === 0) return 1;
  return standardError < 1e-9 * size ? 2 ** (1 - differences.length) : normalPValue(difference / standardError);
}

/** Documents up to which all exchanges are tried. */
const mostPermuted = 12;

function permutationPValue<Item>(
  a: readonly Item[],
  b: readonly Item[],
  aggregate: (items: readonly Item[]) => number,
): number {
  const n = a.length;
  const observed = Math.abs(aggregate(b) - aggregate(a));
  let extreme = 0;
  for (let exchanged = 0; exchanged < 2 ** n; exchanged++) {
    const isExchanged = (i: number) => (exchanged >> i) & 1;
    const left = a.map((item, i) => (isExchanged(i) ? b[i] : item));
    const right = b.map((item, i) => (isExchanged(i) ? a[i] : item));
    // Equal sums may differ in their last digits.
    if (Math.abs(aggregate(right) - aggregate(left)) >= observed - 1e-9 * Math.max(1, observed)) extreme++;
  }
  return extreme / 2 ** n;
}

/** Two-sided: all tables with the same margins that are not likelier. `rightA` of `a` and `rightB` of `b` documents. */
export function fisherExact(rightA: number, a: number, rightB: number, b: number): number {
  const right = rightA + rightB;
  const log = logFactorials(a + b);
  const choose = (n: number, k: number) => log[n] - log[k] - log[n - k];
  const logMass = (k: number) => choose(a, k) + choose(b, right - k) - choose(a + b, right);
  const observed = logMass(rightA);
  let pValue = 0;
  for (let k = Math.max(0, right - b); k <= Math.min(a, right); k++) {
    if (logMass(k) <= observed + 1e-7) pValue += Math.exp(logMass(k));
  }
  return Math.min(1, pValue);
}

const bootstrapDraws = 2000;

/** `aggregate` of `a` and of `b`; each draw takes the same documents of both. */
export function pairedBootstrap<Item>(
  a: readonly Item[],
  b: readonly Item[],
  aggregate: (items: readonly Item[]) => number,
): PairedTest {
  const n = a.length;
  const difference = aggregate(b) - aggregate(a);
  const others = { difference, documents: n, onlyA: null, onlyB: null };
  if (n < 2) return { test: "permutation", ...others, standardError: null, pValue: null };
  const rng = new CounterRng(1234, "paired bootstrap");
  const drawn: number[] = [];
  for (let draw = 0; draw < bootstrapDraws; draw++) {
    const places = Array.from({ length: n }, () => Math.floor(rng.uniform() * n));
    drawn.push(aggregate(places.map((i) => b[i])) - aggregate(places.map((i) => a[i])));
  }
  // How often the other side of zero is drawn, both ways; never exactly 0 from a sample.
  const above = drawn.filter((value) => value >= 0).length;
  const below = drawn.filter((value) => value <= 0).length;
  const bootstrapped = Math.min(1, (2 * (Math.min(above, below) + 1)) / (drawn.length + 1));
  const isFew = n <= mostPermuted;
  return {
    test: isFew ? "permutation" : "paired bootstrap",
    ...others,
    standardError: sampleDeviation(drawn),
    pValue: isFew ? permutationPValue(a, b, aggregate) : bootstrapped,
  };
}
