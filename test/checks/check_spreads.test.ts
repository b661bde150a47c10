import path from "node:path";
import { expect, it } from "vitest";
import { append, largest, smallest } from "../../src/arrays/large_arrays.ts";
import { findSpreads, spreadsIn } from "./check_spreads.ts";

it("spreads no array into the arguments of push, Math.max and their like", () => {
  expect(findSpreads(path.join(import.meta.dirname, "../.."))).toEqual([]);
});

it("finds such a spread, and takes none of an object or a literal for one", () => {
  const text =
    "a.push(...b);\nMath.max(0, ...c.map((x) => f(x, 1)));\nd.push({ ...e });\ng.push([...h]);\nMath.min(1, 2);";
  expect(spreadsIn("x.ts", text)).toEqual(["x.ts:1", "x.ts:2"]);
});

it("has calls for arrays of any length in their place", () => {
  const many = Array.from({ length: 500_000 }, (_, i) => i);
  expect(largest(many)).toBe(499_999);
  expect(smallest(many)).toBe(0);
  expect(largest([], 1)).toBe(1);
  const target = [-1];
  append(target, many);
  expect(target).toHaveLength(500_001);
});
