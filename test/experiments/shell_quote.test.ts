import { expect, test } from "vitest";
import { shellQuoted } from "../../experiments/shell_quote.ts";

test.each([
  ["runs/quickstart", "runs/quickstart"],
  ["two words", '"two words"'],
  ["Question: who?\nAnswer:", "$'Question: who?\\nAnswer:'"],
  ["it's 5$", "$'it\\'s 5$'"],
  ["", "$''"],
])("%j is typed as %s", (arg, typed) => {
  expect(shellQuoted(arg)).toBe(typed);
});
