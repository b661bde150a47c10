import { expect, it } from "vitest";
import { histogram, histogramBins, symmetricHistogram } from "../../../training/telemetry/histogram.ts";

const filled = (counts: number[]) => counts.flatMap((count, bin) => (count > 0 ? [[bin, count]] : []));

it("counts in equal bins, what lies beyond in the bin beside it", () => {
  const { low, high, counts } = histogram(Float32Array.from([-9, -1, 0, 0.5, 1, 9]), -1, 1);
  expect([low, high, counts.length]).toEqual([-1, 1, histogramBins]);
  expect(filled(counts)).toEqual([
    [0, 2],
    [32, 1],
    [48, 1],
    [63, 2],
  ]);
});

it("reaches to the largest magnitude, but not into a long tail", () => {
  expect(symmetricHistogram(Float32Array.from([1, -2]))).toMatchObject({ low: -2, high: 2 });
  // One value of 100 among 10,000 zeros: the root mean square is 1.
  const { low, high, counts } = symmetricHistogram(new Float32Array(10_000).with(3, 100));
  expect([low, high]).toEqual([-8, 8]);
  expect(filled(counts)).toEqual([
    [32, 9999],
    [63, 1],
  ]);
});

it("has all values in the middle where there is nothing but 0", () => {
  const { low, counts } = symmetricHistogram(new Float32Array(5));
  expect(low).toBe(-0);
  expect(filled(counts)).toEqual([[32, 5]]);
});
