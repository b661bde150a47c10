import { describe, expect, test } from "vitest";
import { parseLiteral } from "../../src/python/literal.ts";
import { compareValues, isLess } from "../../src/python/order.ts";
import {
  isEqual,
  isTruthy,
  PythonFloat,
  pythonFloat,
  pythonInt,
  pythonRepr,
  pythonTuple,
  typeName,
} from "../../src/python/values.ts";
import { taskVectors } from "../eval/task_vectors.ts";

test.each(taskVectors.literals)("literal $text", ({ text, value }) => {
  expect(JSON.parse(JSON.stringify(parseLiteral(text)))).toEqual(value);
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

test.each([
  [6, "6.0"],
  [-0, "-0.0"],
  [1e15, "1000000000000000.0"],
  [1e16, "1e+16"],
  [-1e21, "-1e+21"],
  [9999999999999998, "9999999999999998.0"],
  [123456789012345680, "1.2345678901234568e+17"],
  [0.0001, "0.0001"],
  [0.00012345, "0.00012345"],
  [1e-5, "1e-05"],
  [-2.5e-10, "-2.5e-10"],
  [5e-324, "5e-324"],
  [1.5e300, "1.5e+300"],
  [1 / 3, "0.3333333333333333"],
  [Number.NaN, "nan"],
  [-Infinity, "-inf"],
])("the float %s is written as CPython writes it", (value, text) => {
  expect(pythonRepr(pythonFloat(value))).toBe(text);
});

test("ints, floats and bools in lists, tuples and dicts", () => {
  const value = [6, new PythonFloat(6), 1.5, 2n ** 53n + 1n, { k: [null, true], "it's": pythonTuple(["a", 1]) }];
  expect(pythonRepr(value)).toBe(`[6, 6.0, 1.5, 9007199254740993, {'k': [None, True], "it's": ('a', 1)}]`);
  expect([pythonTuple([]), pythonTuple([1]), pythonTuple([[1]])].map(pythonRepr)).toEqual(["()", "(1,)", "([1],)"]);
  expect(pythonRepr("\ud83d😀\u200b\xad\u0378")).toBe("'\\ud83d😀\\u200b\\xad\\u0378'");
  expect([6, 6.5, new PythonFloat(6), 1n, true, null].map(typeName)).toEqual([
    "int",
    "float",
    "float",
    "int",
    "bool",
    "NoneType",
  ]);
  expect(JSON.stringify([new PythonFloat(6), pythonTuple([1, "a"])])).toBe('[6,[1,"a"]]');
  expect([pythonInt(7n), pythonInt(2 ** 60), pythonFloat(6.5)]).toEqual([7, 2n ** 60n, 6.5]);
});

test("order: numbers of all kinds, texts by code points, lists by their first difference", () => {
  const sorted = [1, new PythonFloat(1.0), true, 2.5, 3n, 10n ** 20n];
  expect([...sorted].reverse().sort(compareValues)).toEqual([true, new PythonFloat(1), 1, 2.5, 3n, 10n ** 20n]);
  expect(["😀", "\uffff", "b", "ab", "a"].sort(compareValues)).toEqual(["a", "ab", "b", "\uffff", "😀"]);
  expect(isLess([1, 2], [1, 2, 0])).toBe(true);
  expect(isLess(pythonTuple([1, 3]), pythonTuple([1, 2, 9]))).toBe(false);
  expect(isLess(Number.NaN, 1) || isLess(1, Number.NaN)).toBe(false);
  expect(() => isLess("a", 1)).toThrow("'<' not supported between instances of 'str' and 'int'");
  expect(() => isLess(pythonTuple([1]), [1])).toThrow("'tuple' and 'list'");
});

describe("equality and truth", () => {
  test("numbers of all kinds", () => {
    expect(isEqual(1, new PythonFloat(1)) && isEqual(new PythonFloat(1), true) && isEqual(1n, 1)).toBe(true);
    expect(isEqual(2n ** 53n + 1n, new PythonFloat(2 ** 53))).toBe(false);
    expect(isEqual(Number.NaN, Number.NaN)).toBe(false);
    expect(isEqual(pythonTuple([1]), [1])).toBe(false);
    expect([0n, new PythonFloat(-0), Number.NaN, pythonTuple([])].map(isTruthy)).toEqual([false, false, true, false]);
  });
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
