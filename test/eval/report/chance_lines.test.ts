/** Against guessing: exact for any number of questions (values by SciPy 1.17: `binomtest`, and sums over all outcomes). */
import { expect, test } from "vitest";
import type { TaskResult } from "../../../src/eval/evaluator.ts";
import { scoreGroups } from "../../../src/eval/group_scores.ts";
import { chanceLines, taskGuessingTest } from "../../../src/eval/report/chance_lines.ts";
import { guessingTails } from "../../../src/eval/score/guessing.ts";
import { mean } from "../../../src/eval/score/metrics.ts";
import type { TaskGroup } from "../../../src/eval/task/task_registry.ts";
import { findTask } from "../../../src/eval/task/task_registry.ts";

/** @param right by document */
function result(name: string, right: readonly number[], chances: readonly number[], metric = "acc"): TaskResult {
  const score = { metric, filter: "none", value: mean(right), standardError: 0, higherIsBetter: true };
  return {
    task: { ...findTask("arc_easy"), name },
    numFewshot: 0,
    generation: null,
    documents: { original: right.length, effective: right.length, leftOut: 0 },
    scores: [score],
    chance: mean(chances),
    chances,
    remarks: { truncation: null, problems: [] },
    samples: right.map((value, docId) => ({ docId, filter: "none", metrics: { [metric]: value } }) as never),
  };
}
const times = (count: number, value: number) => new Array<number>(count).fill(value);
const some = (right: number, of: number) => [...times(right, 1), ...times(of - right, 0)];

test("tails of equal and of different chances", () => {
  for (const [n, p, k, atLeast, atMost] of [
    [2, 0.5, 2, 0.25, 1],
    [3, 0.25, 0, 1, 0.421875],
    [20, 0.25, 10, 0.01386441694376117, 0.9960578583359165],
    [1000, 0.25, 280, 0.01643666036421537, 0.986268464630445],
  ]) {
    const tails = guessingTails(times(n, p), k);
    expect(tails.atLeast / atLeast).toBeCloseTo(1, 7);
    expect(tails.atMost / atMost).toBeCloseTo(1, 7);
  }
  const mixed = [1 / 2, 1 / 3, 1 / 4, 0, 1];
  // By hand: all of the first three, beside the one that is certain.
  expect(guessingTails(mixed, 4).atLeast).toBeCloseTo(1 / 24, 14);
  expect(guessingTails(mixed, 1).atMost).toBeCloseTo((1 / 2) * (2 / 3) * (3 / 4), 14);
  expect(guessingTails(mixed, 5).atLeast).toBe(0);
});

test("of many questions in little time", () => {
  const chances = Array.from({ length: 20_000 }, (_, i) => 1 / (2 + (i % 4)));
  const { atLeast, atMost } = guessingTails(chances, Math.round(20_000 * mean(chances)));
  expect(atLeast + atMost).toBeGreaterThan(1);
  expect(Math.abs(atLeast - 0.5)).toBeLessThan(0.01);
});

test("a line says whether the score can be told from guessing, also where all is right or wrong", () => {
  expect(chanceLines([result("two", [1, 1], [0.5, 0.5])])).toEqual([
    "two: chance 0.5000, acc 1.0000: no better than guessing (p = 0.2500, exact binomial test)",
  ]);
  expect(chanceLines([result("six", times(6, 1), times(6, 0.25))])).toEqual([
    "six: chance 0.2500, acc 1.0000: above guessing (p = 0.0002, exact binomial test)",
  ]);
  expect(chanceLines([result("none", times(12, 0), times(12, 0.25), "acc_norm")])).toEqual([
    "none: chance 0.2500, acc_norm 0.0000: below guessing (p = 0.0317, exact binomial test)",
  ]);
  expect(chanceLines([result("one", [0], [0.25])])[0]).toContain("no better than guessing (p = 0.7500");
  expect(chanceLines([result("many", some(90, 100), times(100, 0.25))])[0]).toContain("above guessing (p <0.0001,");
});

test("answers that are more or less right have a bound", () => {
  const tested = taskGuessingTest(result("share", [0.5, 1], [0.5, 0.5]));
  expect(tested).toMatchObject({ test: "bound", value: 0.75 });
  // exp(-2 (1/4)^2 / (2 (1/2)^2))
  expect(tested?.pValue).toBeCloseTo(Math.exp(-1 / 4), 12);
});

test("a group is tested on all its questions; with unequal weights by a bound", () => {
  const tasks = [result("t1", [1, 1], [0.5, 0.5]), result("t2", times(4, 1), times(4, 0.25))];
  const group = (weight_by_size: boolean): TaskGroup =>
    ({
      name: "g",
      alias: "g",
      version: 1,
      children: ["t1", "t2"],
      config: { aggregate_metric_list: [{ metric: "acc", weight_by_size }] },
    }) as never;
  expect(chanceLines(tasks, scoreGroups([group(true)], tasks))).toEqual([
    // 1/4 * 1/256
    "g: chance 0.3333, acc 1.0000: above guessing (p = 0.0010, exact binomial test)",
  ]);
  expect(chanceLines(tasks, scoreGroups([group(false)], tasks))[0]).toBe(
    // exp(-2 (5/8)^2 / (2 (1/4)^2 + 4 (1/8)^2))
    "g: chance 0.3750, acc 1.0000: above guessing (p = 0.0155, Hoeffding's bound)",
  );
});
