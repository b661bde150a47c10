import { expect, test } from "vitest";
import { editDistance, nearestHint, nearestName } from "../../src/errors/nearest_name.ts";

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

test("nearestName leaves out what is no typing mistake", () => {
  expect(nearestName("num-fewshots", ["limit", "num_fewshot"])).toBe("num_fewshot");
  expect(nearestName("eval", ["seed", "eval_every"])).toBe("eval_every");
  for (const [name, others] of [
    ["batch_size", ["limit", "data-dir"]],
    ["device", ["seed", "eval_every", "sample_prompt"]],
    ["lr", ["type", "beta1"]],
    ["tokens", ["steps", "seed"]],
  ] as const) {
    expect(nearestName(name, others)).toBeUndefined();
  }
});

test("nearestHint ends a line, or adds nothing to it", () => {
  expect(nearestHint("max_step", ["max_steps"], "--")).toBe("; the nearest is --max_steps");
  expect(nearestHint("device", ["seed"])).toBe("");
});
