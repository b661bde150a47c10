/** Two models on few documents: no verdict from a spread of 0 (values by SciPy 1.17 and by hand). */
import { expect, test } from "vitest";
import { fisherExact, pairedBootstrap, pairedMeans } from "../../../src/eval/report/paired_difference.ts";
import { compareRuns, verdict } from "../../../src/eval/report/run_comparison.ts";
import type { SavedRun } from "../../../src/eval/report/saved_run.ts";
import { mean } from "../../../src/eval/score/metrics.ts";

test("equal differences are told apart by their number alone", () => {
  for (const [n, p] of [
    [2, 0.5],
    [5, 2 / 32],
    [20, 2 ** -19],
  ]) {
    const { pValue } = pairedMeans(new Array(n).fill(0.25), new Array(n).fill(0.5));
    expect(pValue! / p).toBeCloseTo(1, 9);
  }
});

test("two documents never make a difference of a score of all", () => {
  const { test, pValue } = pairedBootstrap([0.1, 0.2], [0.9, 0.8], mean);
  expect([test, pValue]).toEqual(["permutation", 0.5]);
});

test("Fisher's exact test", () => {
  expect(fisherExact(8, 10, 1, 6)).toBeCloseTo(0.03496503496503495, 10);
  expect(fisherExact(2, 2, 0, 2)).toBeCloseTo(1 / 3, 12);
  expect(fisherExact(3, 7, 3, 7)).toBe(1);
});

test("without samples shares are compared by it, other scores by their standard errors", () => {
  const run = (file: string, value: number, standardError: number, documents: number, metric = "acc"): SavedRun => ({
    file,
    modelName: file,
    tasks: [
      {
        name: "t",
        scores: [{ metric, filter: "none", value, standardError, higherIsBetter: true, documents }],
        samples: null,
      },
    ],
  });
  const [few] = compareRuns(run("a", 0, 0, 2), run("b", 1, 0, 2));
  expect(few.test).toMatchObject({ test: "Fisher", difference: 1 });
  expect(verdict(few, "a", "b")).toBe("no difference");
  const [more] = compareRuns(run("a", 0, 0, 10), run("b", 1, 0, 10));
  expect(verdict(more, "a", "b")).toBe("b is better");
  const [other] = compareRuns(run("a", 0.5, 0.1, 10, "f1"), run("b", 0.9, 0.1, 10, "f1"));
  expect(other.test.test).toBe("unpaired z");
});
