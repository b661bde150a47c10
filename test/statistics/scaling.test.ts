/** Scaling laws are found again in losses that were made by them. */
import { expect, test } from "vitest";
import { CounterRng } from "../../src/random/counter_rng.ts";
import { fitScaling, lossOf, type ScalingPoint } from "../../src/statistics/scaling.ts";

const chinchilla = { E: 1.69, A: 406.4, alpha: 0.34, B: 410.7, beta: 0.28 };
const sizes = [1e6, 3e6, 1e7, 3e7, 1e8];

/** Runs of three seeds with noise of this standard deviation. */
function runs(lengths: readonly number[], noise: number, law = chinchilla): ScalingPoint[] {
  const rng = new CounterRng(3, "scaling");
  return sizes.flatMap((parameters) =>
    lengths.flatMap((tokens) =>
      [1, 2, 3].map(() => ({ parameters, tokens, loss: lossOf(law, parameters, tokens) + noise * rng.normal() })),
    ),
  );
}

test("L(N, D) is found to the digits that exact losses hold", () => {
  const { law, residual } = fitScaling(runs([1e7, 1e8, 1e9], 0), { resamples: 20 });
  expect(residual).toBeLessThan(1e-6);
  for (const [name, value] of Object.entries(chinchilla)) {
    expect(law[name as keyof typeof law]! / value, name).toBeCloseTo(1, 3);
  }
});

test("L(N): the tokens that all runs have belong to E; the intervals hold the truth", () => {
  const tokens = 1e9;
  const { law, intervals, points } = fitScaling(runs([tokens], 0.01));
  expect(points).toHaveLength(15);
  expect(Object.keys(law)).toEqual(["E", "A", "alpha"]);
  const truth = {
    E: chinchilla.E + chinchilla.B * tokens ** -chinchilla.beta,
    A: chinchilla.A,
    alpha: chinchilla.alpha,
  };
  for (const [name, value] of Object.entries(truth)) {
    expect(intervals[name].low, name).toBeLessThan(value);
    expect(intervals[name].high, name).toBeGreaterThan(value);
  }
  expect(law.alpha).toBeCloseTo(0.34, 1);
});

test("refuses what says nothing of a law", () => {
  const point = (parameters: number, tokens: number) => ({ parameters, tokens, loss: 3 });
  expect(() => fitScaling([point(1, 1), point(2, 1)])).toThrow("needs runs of 3 sizes, there are 2");
  expect(() => fitScaling([1, 2, 3, 4].map((n) => point(n, n % 2)))).toThrow("needs runs of 3 numbers of tokens");
});
