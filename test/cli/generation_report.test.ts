import { expect, test } from "vitest";
import { logprobLines } from "../../cli/generation_report.ts";

test("a line for each token, its columns in one place also for wide characters", () => {
  const lines = logprobLines([
    { id: 1, text: " red", logprob: Math.log(0.5), top: [{ id: 1, text: " red", logprob: Math.log(0.5) }] },
    { id: 2, text: "三\n", logprob: -12.5, top: [{ id: 3, text: ".", logprob: -0.25 }] },
  ]);
  expect(lines).toEqual([
    "token   logprob  percent  likeliest",
    '" red"  -0.6931   50.00%  " red" -0.6931',
    '"三\\n" -12.5000    0.00%  "." -0.2500',
  ]);
});
