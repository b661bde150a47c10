import { describe, expect, it } from "vitest";
import { mixKey, Permutation } from "../../../training/data/permutation.ts";

describe("Permutation", () => {
  it.each([1, 2, 3, 5, 16, 17, 1000, 4097])("visits each of %i elements once", (size) => {
    const order = new Permutation(size, 7);
    const seen = new Set(Array.from({ length: size }, (_, i) => order.at(i)));
    expect(seen.size).toBe(size);
    expect(Math.max(...seen)).toBe(size - 1);
    expect(Math.min(...seen)).toBe(0);
  });

  it("depends on the key and looks shuffled", () => {
    const size = 5000;
    const list = (key: number): number[] => {
      const order = new Permutation(size, key);
      return Array.from({ length: size }, (_, i) => order.at(i));
    };
    const one = list(1);
    expect(list(1)).toEqual(one);
    expect(list(2)).not.toEqual(one);
    const fixed = one.filter((value, i) => value === i).length;
    expect(fixed).toBeLessThan(12);
    const ascents = one.filter((value, i) => i > 0 && value > one[i - 1]).length;
    expect(Math.abs(ascents - size / 2)).toBeLessThan(150);
    // The first tenth comes evenly from the whole range.
    const mean = one.slice(0, 500).reduce((sum, value) => sum + value, 0) / 500;
    expect(Math.abs(mean - size / 2)).toBeLessThan(250);
  });

  it("refuses nonsense", () => {
    expect(() => new Permutation(0, 1)).toThrow(RangeError);
    expect(() => new Permutation(2 ** 33, 1)).toThrow(RangeError);
  });
});

describe("mixKey", () => {
  it("tells apart order, number and large seeds", () => {
    const keys = [mixKey(1, 2), mixKey(2, 1), mixKey(1), mixKey(1, 2, 0), mixKey(1 + 2 ** 32, 2), mixKey(1, 3)];
    expect(new Set(keys).size).toBe(keys.length);
  });
});
