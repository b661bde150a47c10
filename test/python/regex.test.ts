import { describe, expect, test } from "vitest";
import { pythonRegex, RegexError } from "../../src/python/regex.ts";
import { taskVectors } from "../eval/task_vectors.ts";

test.each(taskVectors.regex)("$pattern on $text", ({ pattern, text, matches, removed }) => {
  // The bullet pattern of IFEval is the one that needs the flag.
  const regex = pythonRegex(pattern, { multiline: false });
  expect([...text.matchAll(regex)].map((match) => match[0])).toEqual(matches);
  expect(text.replace(regex, "")).toBe(removed);
});

test("multiline and ignore case", () => {
  expect("a\nB\nb".match(pythonRegex("^b$", { multiline: true, ignoreCase: true }))).toEqual(["B", "b"]);
  // A line ends at \n only.
  expect("b\rb\u2028b".match(pythonRegex("^b$", { multiline: true }))).toBeNull();
});

describe("patterns that have no JavaScript form", () => {
  test.each(["(?x)a b", "[\\W]", "(", "a**", "(?P<n>"])("%s", (pattern) => {
    expect(() => pythonRegex(pattern)).toThrow(RegexError);
    expect(() => pythonRegex(pattern)).toThrow(pattern);
  });
});
