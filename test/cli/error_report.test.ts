import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import { errorLine, errorReport, isForPeople } from "../../cli/error_report.ts";
import { UserError } from "../../src/errors/user_error.ts";

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

describe("isForPeople", () => {
  class OfTheRoom extends UserError {}

  test.each<[string, unknown, boolean]>([
    ["a user error", new OfTheRoom("x"), true],
    ["an absent file", thrownBy(() => readFileSync("/nowhere")), true],
    ["a folder read as a file", thrownBy(() => readFileSync(tmpdir())), true],
    ["too large an array", thrownBy(() => new ArrayBuffer(2 ** 52)), true],
    ["a type error", thrownBy(() => (null as unknown as { x: number }).x), false],
    ["a wrong argument of ours to Node", thrownBy(() => readFileSync({} as string)), false],
    ["an error without a class", new Error("x"), false],
    ["a thrown text", "x", false],
  ])("%s", (_, error, expected) => expect(isForPeople(error)).toBe(expected));
});

test("errorLine puts system errors in words and folds lines", () => {
  expect(errorLine(thrownBy(() => readFileSync("/nowhere")))).toBe("no such file or folder: /nowhere");
  expect(errorLine(thrownBy(() => new ArrayBuffer(2 ** 52)))).toBe(
    "not enough memory (Array buffer allocation failed)",
  );
  expect(errorLine(new Error("first\n  second\n"))).toBe("first; second");
  expect(errorLine("text")).toBe("text");
});

test("errorReport keeps the cause of a bug", () => {
  const report = errorReport(new Error("outer", { cause: new TypeError("inner") }));
  expect(report).toMatch(/bug of bitnet-lab/);
  expect(report).toMatch(/Error: outer\n +at /);
  expect(report).toMatch(/TypeError: inner/);
});
