/** Lines and times of the progress display. */
import { expect, test } from "vitest";
import { RequestProgress } from "../../cli/progress.ts";

function lines(updates: readonly (readonly [seconds: number, done: number])[], total: number): string[] {
  const written: string[] = [];
  let now = 0;
  const stream = { isTTY: false, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream;
  const progress = new RequestProgress(stream, "requests", () => now * 1000);
  for (const [seconds, done] of updates) {
    now = seconds;
    progress.update(done, total);
  }
  progress.close();
  return written;
}

test("a line for every tenth, with the time left at the speed so far", () => {
  const updates = [
    [1, 5],
    [2, 10],
    [3, 12],
    [200, 50],
    [400, 100],
  ] as const;
  expect(lines(updates, 100)).toEqual([
    "10 of 100 requests, 2.0 s, 18 s left\n",
    "50 of 100 requests, 200.0 s, 4 min left\n",
    "100 of 100 requests, 400.0 s\n",
  ]);
});

test("what a cache answered does not count as speed", () => {
  const updates = [
    [2, 500],
    [12, 600],
  ] as const;
  expect(lines(updates, 1000)).toEqual(["500 of 1000 requests, 2.0 s\n", "600 of 1000 requests, 12.0 s, 40 s left\n"]);
});
