/** Lines, bar and times of the progress display. */
import { describe, expect, test } from "vitest";
import { Progress, type ProgressOptions } from "../../cli/progress.ts";
import { plainStream, Screen } from "../support/screen.ts";

type Update = readonly [seconds: number, done: number];

/** What is written while `updates` of a job come in. */
function shown(updates: readonly Update[], total: number, options: ProgressOptions = {}): string {
  let now = 0;
  const { stream, text } = plainStream();
  const progress = new Progress({ ...options, stream, now: () => now * 1000 });
  for (const [seconds, done] of updates) {
    now = seconds;
    progress.update("requests", done, total, [`${done} done`]);
  }
  progress.close();
  return text();
}

describe("where there is no terminal", () => {
  const updates: Update[] = [
    [1, 5],
    [2, 10],
    [3, 12],
    [200, 50],
    [400, 100],
  ];

  test("a line for every tenth, with the time left at the speed so far", () => {
    expect(shown(updates, 100)).toBe(
      "10 of 100 requests, 2.0 s, ETA 0:18\n50 of 100 requests, 200.0 s, ETA 3:41\n100 of 100 requests, 400.0 s\n",
    );
  });

  test("or a line when the job begins, or none", () => {
    expect(shown(updates, 100, { lines: "beginnings" })).toBe("requests\n");
    expect(shown(updates, 100, { lines: "none" })).toBe("");
  });

  test("what a cache answered does not count as speed", () => {
    expect(
      shown(
        [
          [2, 500],
          [12, 600],
        ],
        1000,
      ),
    ).toBe("500 of 1000 requests, 2.0 s\n600 of 1000 requests, 12.0 s, ETA 0:40\n");
  });
});

test("on a terminal a bar with share, details and time left, cleared at the end", async () => {
  let now = 0;
  const screen = new Screen(60);
  const progress = new Progress({ stream: screen.stream, now: () => now, env: {} });
  progress.update("requests", 0, 100, ["0 of 100"]);
  expect(await screen.rows()).toEqual([`requests  ${"░".repeat(24)}  0%  0 of 100`]);
  now = 10_000;
  progress.update("requests", 25, 100, ["25 of 100"]);
  progress.print("a line above");
  expect(await screen.rows()).toEqual([
    "a line above",
    `requests  ${"█".repeat(6)}${"░".repeat(17)}  25%  25 of 100  ETA 0:30`,
  ]);
  progress.close();
  expect(await screen.rows()).toEqual(["a line above"]);
});

test("another job begins anew", () => {
  const { stream, text } = plainStream();
  const progress = new Progress({ stream, lines: "beginnings" });
  for (const job of ["hashing", "hashing", "tokenizing"]) progress.update(job, 1, 2);
  expect(text()).toBe("hashing\ntokenizing\n");
});
