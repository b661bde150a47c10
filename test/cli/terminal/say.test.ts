/** Where lines of a command's own are broken. */
import { expect, test } from "vitest";
import { folded } from "../../../cli/terminal/say.ts";

const line =
  "note: ../some/mix: left out 2 hidden (.git, .hidden), 1 of tools (node_modules) in /a/long/path/of/a/folder";

test("a terminal gets a line broken at words, later lines indented, no path cut", () => {
  expect(folded(line, { isTTY: true, columns: 40 }).split("\n")).toEqual([
    "note: ../some/mix: left out 2 hidden",
    "  (.git, .hidden), 1 of tools",
    "  (node_modules) in",
    "  /a/long/path/of/a/folder",
  ]);
  expect(folded(line, { isTTY: true, columns: 200 })).toBe(line);
});

test("a file or a pipe gets it as it is", () => {
  expect(folded(line, { columns: 40 })).toBe(line);
});
