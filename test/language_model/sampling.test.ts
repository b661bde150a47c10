import { describe, expect, test } from "vitest";
import { drawToken, exp, largestIndex, type SamplingOptions } from "../../src/language_model/sampling.ts";

const logits = Float32Array.of(1, 3, 2, -1);

function counts(sampling: SamplingOptions, draws = 4000): number[] {
  const seen = [0, 0, 0, 0];
  for (let i = 0; i < draws; i++) seen[drawToken(logits, { seed: 7, ...sampling }, i)]++;
  return seen;
}

test("the first of equal values is the largest", () => {
  expect(largestIndex([1, 5, 5])).toBe(1);
});

test("exp is that of the library within the last bits, also of the weights that hardly count", () => {
  for (let x = 0; x > -700; x -= 0.37) expect(Math.abs(exp(x) / Math.exp(x) - 1)).toBeLessThan(5e-16);
  expect([exp(0), exp(-0), exp(-1)]).toEqual([1, 1, 1 / Math.E]);
  expect([exp(-701), exp(Number.NEGATIVE_INFINITY), exp(Number.NaN)]).toEqual([0, 0, 0]);
});

describe("tokens", () => {
  test("are drawn in proportion to softmax(logits / temperature)", () => {
    const temperature = 2;
    const weights = Array.from(logits, (value) => Math.exp(value / temperature));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const seen = counts({ temperature });
    weights.forEach((weight, id) => {
      const p = weight / total;
      expect(Math.abs(seen[id] / 4000 - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / 4000));
    });
  });

  test("are the likeliest only, with top-k, top-p and min-p", () => {
    const drawn = (sampling: SamplingOptions) => counts(sampling).map((count) => count > 0);
    expect(drawn({ temperature: 5, topK: 2 })).toEqual([false, true, true, false]);
    expect(drawn({ temperature: 1, topP: 0.6 })).toEqual([false, true, false, false]);
    expect(drawn({ temperature: 1, topP: 0.85 })).toEqual([false, true, true, false]);
    // Beside the likeliest the others are 0.37, 0.14 and 0.018 times as probable, and 0.82, 0.67, 0.45 at temperature 5.
    expect(drawn({ temperature: 1, minP: 0.2 })).toEqual([false, true, true, false]);
    expect(drawn({ temperature: 1, minP: 0.1 })).toEqual([true, true, true, false]);
    expect(drawn({ temperature: 5, minP: 0.5 })).toEqual([true, true, true, false]);
    expect(drawn({ temperature: 1, topP: 0.6, minP: 0.1 })).toEqual([false, true, false, false]);
    expect(drawn({ temperature: 9, minP: 1 })).toEqual([false, true, false, false]);
    expect(drawn({ temperature: 0 })).toEqual([false, true, false, false]);
    expect(drawn({ temperature: 9, topK: 1 })).toEqual([false, true, false, false]);
  });

  test("depend on the seed and on how many were drawn before, and on nothing else", () => {
    const draw = (seed: number, from: number) =>
      Array.from({ length: 50 }, (_, i) => drawToken(logits, { temperature: 2, seed }, from + i));
    expect(draw(3, 0)).toEqual(draw(3, 0));
    expect(draw(3, 20).slice(0, 30)).toEqual(draw(3, 0).slice(20));
    expect(draw(4, 0)).not.toEqual(draw(3, 0));
    // Both halves of a seed count.
    expect(draw(3 + 2 ** 40, 0)).not.toEqual(draw(3, 0));
  });

  test("do not come from logits of minus infinity", () => {
    const masked = Float32Array.of(Number.NEGATIVE_INFINITY, 0, Number.NEGATIVE_INFINITY, 0);
    const seen = new Set(Array.from({ length: 200 }, (_, i) => drawToken(masked, { temperature: 1 }, i)));
    expect([...seen].sort()).toEqual([1, 3]);
  });
});
