/** Our engine against Python's `re` (experiments/oracles/regex_matches.py). */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { sameLowerCases } from "../../src/python/regex/letter_case.ts";
import { pythonRegex, RegexError, selectedMatch } from "../../src/python/regex.ts";
import { taskVectors } from "../eval/task_vectors.ts";

type Matches = [number, string, ...(string | null)[]][];
interface Entry {
  pattern: string;
  error?: string;
  matches?: Record<string, Matches>;
}
const golden: { texts: string[]; cases: [number, number[]][]; patterns: Entry[] } = JSON.parse(
  readFileSync(path.join(import.meta.dirname, "../golden/regex/python_matches.json"), "utf8"),
);

function matchesOf(pattern: string, text: string): Matches {
  return Array.from(pythonRegex(pattern).matches(text), ({ index, groups }) => {
    const [whole, ...rest] = groups;
    return [Array.from(text.slice(0, index)).length, whole!, ...rest.map((group) => group ?? null)];
  });
}

const runs = golden.patterns.filter(({ error }) => error === undefined);
test.each(runs)("$pattern", ({ pattern, matches }) => {
  const found = golden.texts.map((text, i) => [String(i), matchesOf(pattern, text)] as const);
  expect(Object.fromEntries(found.filter(([, ofText]) => ofText.length > 0))).toEqual(matches);
});

test.each(golden.patterns.filter(({ error }) => error !== undefined))("$pattern is refused: $error", ({ pattern }) => {
  expect(() => pythonRegex(pattern)).toThrow(RegexError);
  expect(() => pythonRegex(pattern)).toThrow(`regular expression ${pattern}: `);
});

test("letters that are the same without case", () => {
  for (const [code, others] of golden.cases) {
    expect([code, sameLowerCases(code).slice(1)]).toEqual([code, others]);
  }
});

test.each(taskVectors.regex)("$pattern on $text", ({ pattern, text, matches, removed }) => {
  const regex = pythonRegex(pattern);
  expect(Array.from(regex.matches(text), ({ groups }) => groups[0])).toEqual(matches);
  expect(regex.remove(text)).toBe(removed);
});

test("flags beside the pattern", () => {
  const lines = pythonRegex("^b$", { multiline: true, ignoreCase: true });
  expect(Array.from(lines.matches("a\nB\nb"), ({ groups }) => groups[0])).toEqual(["B", "b"]);
  // A line ends at \n only.
  expect([...lines.matches("b\rb\u2028b")]).toEqual([]);
  expect([...pythonRegex("a.b", { dotAll: true }).matches("a\nb")]).toHaveLength(1);
});

describe("long texts", () => {
  const text = "word ".repeat(20_000);

  test("are no matter for repeats of characters", () => {
    expect([...pythonRegex("(?s).*").matches(text)][0].groups[0]).toHaveLength(text.length);
    expect([...pythonRegex("\\w+\\s").matches(text)]).toHaveLength(20_000);
    expect([...pythonRegex(".*?x").matches(text.slice(0, 1000))]).toEqual([]);
  });

  test.each(["(?:\\w+\\s)*", "((?!x)[^y])*", "(?:ab|(w)|.)*?$", "(?:(\\w)|\\s)*+"])(
    "nor for those of groups: %s",
    (pattern) => {
      expect([...pythonRegex(pattern).matches(text)][0].groups[0]).toHaveLength(text.length);
    },
  );

  test("nor a pattern that is nested deeply an error without its name", () => {
    const pattern = `${"(".repeat(20_000)}a${")".repeat(20_000)}`;
    expect(() => pythonRegex(pattern)).toThrow(RegexError);
  });
});

test("the match that a filter selects", () => {
  const pattern = pythonRegex("(a)|(b)");
  expect([0, -1, 5].map((select) => selectedMatch("ab", pattern, select))).toEqual(["a", "b", undefined]);
  expect(selectedMatch("xx", pythonRegex("x"), 1)).toBe("x");
});
