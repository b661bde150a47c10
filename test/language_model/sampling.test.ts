import { expect, test } from "vitest";
import { drawToken, largestIndex } from "../../src/language_model/sampling.ts";
import { CounterRng } from "../../src/random/counter_rng.ts";

const logits = Float32Array.of(1, 3, 2, -1);

function counts(options: Parameters<typeof drawToken>[1], draws = 4000): number[] {
  const rng = new CounterRng(7, "test");
  const seen = [0, 0, 0, 0];
  for (let i = 0; i < draws; i++) seen[drawToken(logits, options, rng)]++;
  return seen;
}

test("the first of equal values is the largest", () => {
  expect(largestIndex([1, 5, 5])).toBe(1);
});

test("tokens are drawn in proportion to softmax(logits / temperature)", () => {
  const temperature = 2;
  const weights = Array.from(logits, (value) => Math.exp(value / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const seen = counts({ temperature });
  weights.forEach((weight, id) => {
    expect(seen[id] / 4000).toBeCloseTo(weight / total, 1);
  });
});

test("top-k and top-p leave only the likeliest", () => {
  expect(counts({ temperature: 5, topK: 2 }).map((count) => count > 0)).toEqual([false, true, true, false]);
  expect(counts({ temperature: 1, topP: 0.6 }).map((count) => count > 0)).toEqual([false, true, false, false]);
  expect(counts({ temperature: 1, topP: 0.85 }).map((count) => count > 0)).toEqual([false, true, true, false]);
});

test("the same stream draws the same tokens", () => {
  expect(counts({ temperature: 1 }, 50)).toEqual(counts({ temperature: 1 }, 50));
});
