import { expect, test } from "vitest";
import { editDistance, nearestName, similarName } from "../../src/errors/nearest_name.ts";

test("editDistance counts insertions, deletions and replacements", () => {
  expect(editDistance("", "")).toBe(0);
  expect(editDistance("", "abc")).toBe(3);
  expect(editDistance("kitten", "sitting")).toBe(3);
  expect(editDistance("modle", "model")).toBe(2);
});

test("nearestName takes - for _ and ignores case", () => {
  expect(nearestName("Hiddensize", ["intermediate_size", "hidden_size"])).toBe("hidden_size");
  expect(nearestName("max-step", ["max_steps", "max-tokens"])).toBe("max_steps");
});

test("nearestName takes the first on a tie and needs a candidate", () => {
  expect(nearestName("ab", ["aa", "bb"])).toBe("aa");
  expect(nearestName("ab", [])).toBeUndefined();
});

test("similarName leaves out what is no typing mistake", () => {
  expect(similarName("num-fewshots", ["limit", "num_fewshot"])).toBe("num_fewshot");
  expect(similarName("batch_size", ["limit", "data-dir"])).toBeUndefined();
  expect(similarName("device", [])).toBeUndefined();
});
