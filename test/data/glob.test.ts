import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { expandGlob, globMatcher } from "../../src/data/glob.ts";

const folder = mkdtempSync(path.join(tmpdir(), "glob-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("globMatcher", () => {
  it.each([
    ["*.txt", ["a.txt", "b.c.txt"], ["a/b.txt", ".a.txt", "a.txtx"]],
    ["**/*.txt", ["a.txt", "a/b/c.txt"], ["a/b.md", ".git/a.txt"]],
    ["data/**", ["data/a", "data/b/c"], ["data", "datas/a", "data/.x"]],
    ["a?[0-9].{jsonl,txt}", ["ab1.jsonl", "ax9.txt"], ["a1.txt", "ab1.md", "abx.txt"]],
    ["[!a]b", ["cb"], ["ab", "/b"]],
    ["a+(b).txt", ["a+(b).txt"], ["aab.txt"]],
    ["a(b|c).txt", ["a(b|c).txt"], ["ab.txt"]],
    ["!a*", ["!ab"], ["b"]],
    ["a\\b*", ["a\\bc"], ["abc"]],
    [".h*", [".ha"], ["ha"]],
    ["{a", ["{a"], ["a"]],
    ["[a", ["[a"], ["a"]],
  ])("%s", (pattern, matching, others) => {
    const matches = globMatcher(pattern);
    for (const name of matching) expect(matches(name), name).toBe(true);
    for (const name of others) expect(matches(name), name).toBe(false);
  });

  it("is expanded on disk, sorted, from its fixed part down", async () => {
    for (const name of ["b.txt", "a.txt", "sub/c.txt", "sub/deep/d.txt", "sub/e.md", ".hidden/f.txt"]) {
      const file = path.join(folder, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, name);
    }
    const names = async (pattern: string): Promise<string[]> =>
      (await expandGlob(path.join(folder, pattern))).map((file) => path.relative(folder, file));
    expect(await names("*.txt")).toEqual(["a.txt", "b.txt"]);
    expect(await names("**/*.txt")).toEqual(["a.txt", "b.txt", "sub/c.txt", "sub/deep/d.txt"]);
    expect(await names("s*/*.{txt,md}")).toEqual(["sub/c.txt", "sub/e.md"]);
    expect(await names("nowhere/*.txt")).toEqual([]);
  });
});
