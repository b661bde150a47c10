import { describe, expect, test } from "vitest";
import { isEqual, isTruthy, parseLiteral, pythonRepr } from "../../src/python/values.ts";
import { taskVectors } from "../eval/task_vectors.ts";

test.each(taskVectors.literals)("literal $text", ({ text, value }) => {
  expect(parseLiteral(text)).toEqual(value);
});

test("what is no literal stays unread", () => {
  for (const text of ["[a]", "['a'", "1 2", "f(1)", "'a' 'b'", "", "[,]"]) expect(parseLiteral(text)).toBeUndefined();
});

test("texts are written as Python writes them, and read back", () => {
  for (const text of ["it's", "both ' and \"", "tab\t\n\\", "é\u00a0\x07😀\u2028"]) {
    expect(parseLiteral(pythonRepr(text))).toBe(text);
  }
  expect(pythonRepr(["it's", 'x "y"', null, true])).toBe(`["it's", 'x "y"', None, True]`);
});

describe("equality and truth", () => {
  test("by content, whatever the order of keys; True is 1", () => {
    expect(isEqual({ a: 1, b: [2, { c: null }] }, { b: [2, { c: null }], a: true })).toBe(true);
    expect(isEqual([1], [1, 2])).toBe(false);
    expect(isEqual({ a: 1 }, { b: 1 })).toBe(false);
    expect(isEqual([], {})).toBe(false);
  });
  test("empty lists and objects are false", () => {
    expect([[], {}, "", 0, null].map(isTruthy)).toEqual([false, false, false, false, false]);
    expect([[0], { a: 0 }, "0", -1].map(isTruthy)).toEqual([true, true, true, true]);
  });
});
