/** Statistics against scipy 1.17 (stats.t, ttest_rel, bootstrap, nct), Holm's own example, and ties that stay ties. */
import { expect, test } from "vitest";
import { CounterRng } from "../../src/random/counter_rng.ts";
import { bootstrapSamples, percentileInterval } from "../../src/statistics/bootstrap.ts";
import { holm } from "../../src/statistics/holm.ts";
import { neededPairs, pairedDifference, tInterval } from "../../src/statistics/paired.ts";
import { rankArms, type SeedValues } from "../../src/statistics/ranking.ts";
import { mean, standardDeviation } from "../../src/statistics/sample.ts";
import { tProbability, tQuantile } from "../../src/statistics/student_t.ts";

test.each([
  [0.975, 1, 12.706204736174694],
  [0.975, 2, 4.302652729749462],
  [0.975, 4, 2.7764451051977934],
  [0.995, 4, 4.604094871349992],
  [0.9, 9, 1.3830287383966329],
  [0.9999, 3, 22.203742273205],
])("t quantile %d of %i degrees", (p, degrees, t) => {
  expect(tQuantile(p, degrees) / t - 1).toBeCloseTo(0, 11);
});

test.each([
  [2.5, 4, 0.06676654481198814],
  [-0.3, 2, 0.7924856608401776],
  [12, 4, 0.000276428548502973],
])("two-sided p of t = %d with %i degrees", (t, degrees, p) => {
  expect(tProbability(t, degrees) / p - 1).toBeCloseTo(0, 10);
});

const differences = [-0.012, -0.018, -0.009, -0.021, -0.011];

test("paired differences: mean, deviation, t interval, p, bootstrap interval", () => {
  const paired = pairedDifference(differences, 0.95);
  expect(paired.n).toBe(5);
  expect(paired.mean).toBeCloseTo(-0.0142, 12);
  expect(paired.sd).toBeCloseTo(0.005069516742254631, 12);
  expect(paired.standardError).toBeCloseTo(0.005069516742254631 / Math.sqrt(5), 12);
  expect(paired.p).toBeCloseTo(0.003315144113904917, 12);
  expect(paired.tInterval!.low).toBeCloseTo(-0.020494636427148806, 12);
  expect(paired.tInterval!.high).toBeCloseTo(-0.007905363572851192, 12);
  // Of all 3125 resamples, exactly.
  expect(paired.bootstrapInterval!.low).toBeCloseTo(-0.0184, 4);
  expect(paired.bootstrapInterval!.high).toBeCloseTo(-0.0104, 4);
  expect(pairedDifference(differences, 0.95)).toEqual(paired);
});

test("one pair has a difference and no interval; equal differences have no width", () => {
  expect(pairedDifference([0.5], 0.95)).toMatchObject({ n: 1, mean: 0.5, sd: null, tInterval: null, p: null });
  expect(pairedDifference([2, 2, 2], 0.95)).toMatchObject({ tInterval: { low: 2, high: 2 }, p: 0 });
  expect(pairedDifference([0, 0], 0.95)).toMatchObject({ p: 1 });
});

test("the t interval holds the truth as often as it says", () => {
  const rng = new CounterRng(1, "coverage");
  const rounds = 2000;
  let held = 0;
  for (let round = 0; round < rounds; round++) {
    const sample = Array.from({ length: 4 }, () => 1 + rng.normal());
    const { low, high } = tInterval(mean(sample), standardDeviation(sample)! / 2, 4, 0.9);
    if (low <= 1 && 1 <= high) held++;
  }
  // Five standard errors of the share.
  expect(Math.abs(held / rounds - 0.9)).toBeLessThan(5 * Math.sqrt((0.9 * 0.1) / rounds));
});

test.each([
  [0.5, 34],
  [1, 10],
  [2, 5],
  [0.2, 199],
  [3, 4],
])("a difference of %d standard deviations needs %i pairs", (effect, pairs) => {
  expect(neededPairs(effect, 1, 0.95)).toBe(pairs);
  expect(neededPairs(-effect * 0.01, 0.01, 0.95)).toBe(pairs);
});

test("a difference of nothing needs more pairs than anybody has", () => {
  expect(neededPairs(0, 1, 0.95)).toBeNull();
});

test("percentiles are numpy's", () => {
  const sorted = Float64Array.from([1, 2, 4, 8, 16]);
  expect(percentileInterval(sorted, 0.5)).toEqual({ low: 2, high: 8 });
  expect(percentileInterval(sorted, 0.9)).toEqual({ low: 1.2, high: expect.closeTo(14.4, 12) });
  expect(bootstrapSamples([1, 2], mean, { resamples: 50 }).length).toBe(50);
});

test("Holm: the smallest of m is multiplied by m, and none is smaller than the one before", () => {
  const adjusted = holm([0.01, 0.04, 0.03, 0.005]);
  expect(adjusted.map(({ p }) => p)).toEqual([0.03, 0.06, 0.06, 0.02]);
  expect(adjusted.map(({ factor }) => factor)).toEqual([3, 1, 2, 4]);
  expect(holm([0.6, 0.9]).map(({ p }) => p)).toEqual([1, 1]);
});

const seeds = (values: readonly number[]) => new Map(values.map((value, i) => [i, value]));

test("arms that seeds cannot tell apart share their places", () => {
  const ranking = rankArms(
    new Map<string, SeedValues>([
      ["far", seeds([2.0, 2.1, 2.05, 2.02])],
      ["a", seeds([1.0, 1.1, 1.05, 1.02])],
      ["b", seeds([1.01, 1.08, 1.06, 1.01])],
      ["one seed", new Map([[0, 0.5]])],
      ["none", new Map()],
    ]),
    0.95,
  );
  expect(ranking.map(({ arm, best, worst }) => [arm, best, worst])).toEqual([
    // Whatever a single seed shows, it beats nobody.
    ["one seed", 1, 4],
    ["b", 1, 3],
    ["a", 1, 3],
    ["far", 3, 4],
  ]);
});
