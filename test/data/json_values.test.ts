import { expect, test } from "vitest";
import { parseJson, parseJsonValues } from "../../src/data/json_values.ts";
import { pythonRepr } from "../../src/python/values.ts";

test.each([
  ["[7, 7.0, -0, -0.0, 1e2, 6.5, 1E16]", "[7, 7.0, 0, -0.0, 100.0, 6.5, 1e+16]"],
  [
    "[9007199254740993, -9007199254740993, 9007199254740992.5]",
    "[9007199254740993, -9007199254740993, 9007199254740992.0]",
  ],
  ["[NaN, Infinity, -Infinity, 1e400]", "[nan, inf, -inf, inf]"],
  [' {"a" : {"b": [ ], "c": {} } , "d": null}\n', "{'a': {'b': [], 'c': {}}, 'd': None}"],
  ['{"text": "1.0 and \\"NaN\\" \\\\", "é\\ud83d\\ude00": true}', "{'text': '1.0 and \"NaN\" \\\\', 'é😀': True}"],
  ['{"a": 1.0, "a": 2}', "{'a': 2}"],
  ["1.5", "1.5"],
])("%s", (text, repr) => {
  expect(pythonRepr(parseJsonValues(text))).toBe(repr);
});

test("a name of JavaScript's own is an ordinary key", () => {
  const value = parseJsonValues('{"__proto__": 1.0}') as object;
  expect(Object.keys(value)).toEqual(["__proto__"]);
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
});

test.each([
  ["", "a value is expected, but there is the end (character 1)"],
  ['{"a": 1', "a comma or } is expected, but there is the end (character 8)"],
  ['{"a" 1}', 'a colon is expected, but there is "1" (character 6)'],
  ["{a: 1}", 'a key in double quotes is expected, but there is "a" (character 2)'],
  ["[1,]", 'a value is expected, but there is "]" (character 4)'],
  ["[01]", 'a comma or ] is expected, but there is "1" (character 3)'],
  ['["a\tb"]', 'a text with a control character or a wrong escape, but there is "\\"" (character 2)'],
  ['["a', 'a text without its closing quote, but there is "\\"" (character 2)'],
  ["1 2", 'more than one value, but there is "2" (character 3)'],
  ["nan", 'a value is expected, but there is "n" (character 1)'],
  ["[".repeat(2000), /^nested more than 1000 deep/],
])("%s is refused", (text, message) => {
  expect(() => parseJsonValues(text)).toThrow(message);
  expect(() => parseJson(text)).toThrow(message);
});

test("without special values JavaScript's parser reads it, and gives the same", () => {
  const text = '{"a": [1, true, "x y"], "b": {"c": null}}';
  expect(parseJsonValues(text)).toEqual(JSON.parse(text));
  expect(parseJson('{"a": 7.0, "b": NaN}')).toMatchObject({ b: Number.NaN });
});
