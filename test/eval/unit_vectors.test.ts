/** The pieces of evaluation against lm-evaluation-harness's own results. */
import { describe, expect, test } from "vitest";
import { likeliestChoice, likeliestChoicePerCharacter, mean, meanStandardError } from "../../src/eval/score/metrics.ts";
import { findTask } from "../../src/eval/task/task_registry.ts";
import { containsStop, truncateAtStop } from "../../src/language_model/stop_strings.ts";
import { PythonRandom } from "../../src/python/random.ts";
import { unitVectors } from "./golden_lm_eval.ts";

describe("PythonRandom", () => {
  const { seed, getrandbits32, random, randbelow_16113 } = unitVectors.mt19937;

  test("getrandbits(32)", () => {
    const generator = new PythonRandom(seed);
    expect(getrandbits32.map(() => generator.getrandbits(32))).toEqual(getrandbits32);
  });
  test("random()", () => {
    const generator = new PythonRandom(seed);
    expect(random.map(() => generator.random())).toEqual(random);
  });
  test("randbelow", () => {
    const generator = new PythonRandom(seed);
    expect(randbelow_16113.map(() => generator.randbelow(16113))).toEqual(randbelow_16113);
  });
  test.each(unitVectors.sample)("sample: $case, N $N, k $k", ({ seed, N, k, draws }) => {
    const generator = new PythonRandom(seed);
    expect(draws.map(() => generator.sampleIndices(N, k))).toEqual(draws);
  });
  test("a sample larger than the population is an error", () => {
    expect(() => new PythonRandom(1).sampleIndices(3, 4)).toThrow(RangeError);
  });
});

describe("gsm8k", () => {
  const { filters, metrics } = findTask("gsm8k");
  const isMatch = (answer: unknown, gold: string) => Number(metrics[0].exactMatch!(String(answer), gold));
  test.each(unitVectors.gsm8k_filters)("filters: $response", (vector) => {
    const [strict, flexible] = filters.map((filter) => filter.apply([vector.response], {}));
    expect({ strict, flexible }).toEqual({ strict: vector.strict, flexible: vector.flexible });
    expect(isMatch(strict, vector.gold)).toBe(vector.em_strict);
    expect(isMatch(flexible, vector.gold)).toBe(vector.em_flexible);
  });
});

test.each(unitVectors.stop)("stop strings: $text", ({ text, until, out }) => {
  expect(truncateAtStop(text, until)).toBe(out);
  expect(containsStop(text, until)).toBe(out !== text);
});

test.each(unitVectors.stderr)("standard error of $values", ({ values, mean: expectedMean, stderr }) => {
  expect(mean(values)).toBeCloseTo(expectedMean, 15);
  expect(meanStandardError(values)).toBeCloseTo(stderr, 15);
});

test("one value has no standard error", () => {
  expect(meanStandardError([1])).toBeNull();
});

test.each(unitVectors.mc)("multiple choice: $choices", ({ lls, choices, gold, acc, acc_norm }) => {
  expect(Number(likeliestChoice(lls) === gold)).toBe(acc);
  expect(Number(likeliestChoicePerCharacter(lls, choices) === gold)).toBe(acc_norm);
});
