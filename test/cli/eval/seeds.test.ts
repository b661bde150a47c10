import { expect, test } from "vitest";
import { defaultSeeds, parseSeeds } from "../../../cli/eval/seeds.ts";

test("seeds: one for all, or four", () => {
  expect(parseSeeds("7")).toEqual({ random: 7, numpy: 7, torch: 7, fewshot: 7 });
  expect(parseSeeds("1,2,3,4")).toEqual({ random: 1, numpy: 2, torch: 3, fewshot: 4 });
  expect(parseSeeds("5,6")).toEqual({ ...defaultSeeds, random: 5, numpy: 6 });
  for (const text of ["", "x", "1,2,3,4,5", "-1", "1.5"])
    expect(() => parseSeeds(text)).toThrow("expected one whole number");
});
