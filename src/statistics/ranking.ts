/**
 * A ranking that orders only what is told apart: every pair of arms is compared over the seeds that both have, by paired t
 * tests with Holm's correction over all pairs. An arm's place is a range, from one more than the arms found better to those
 * not found worse.
 */
import { holm } from "./holm.ts";
import { pairedDifference } from "./paired.ts";
import { mean } from "./sample.ts";

export interface RankedArm {
  arm: string;
  mean: number;
  /** Places from 1. */
  best: number;
  worst: number;
}

/** Of each arm its values by seed. */
export type SeedValues = ReadonlyMap<number, number>;

function differencesOf(a: SeedValues, b: SeedValues): number[] {
  return [...a].flatMap(([seed, value]) => (b.has(seed) ? [value - b.get(seed)!] : []));
}

/** @returns the arms that have values, by their means; smaller is better. */
export function rankArms(arms: ReadonlyMap<string, SeedValues>, confidence: number): RankedArm[] {
  const named = [...arms].filter(([, values]) => values.size > 0);
  const pairs = named.flatMap(([a, own], i) =>
    named.slice(i + 1).flatMap(([b, others]) => {
      const differences = differencesOf(own, others);
      if (differences.length < 2) return [];
      const { mean: centre, p } = pairedDifference(differences, confidence);
      return [{ better: centre < 0 ? a : b, worse: centre < 0 ? b : a, p: p! }];
    }),
  );
  const adjusted = holm(pairs.map(({ p }) => p));
  const found = pairs.filter((_, i) => adjusted[i].p < 1 - confidence);
  return named
    .map(([arm, values]) => ({
      arm,
      mean: mean([...values.values()]),
      best: 1 + found.filter(({ worse }) => worse === arm).length,
      worst: named.length - found.filter(({ better }) => better === arm).length,
    }))
    .sort((a, b) => a.mean - b.mean);
}
