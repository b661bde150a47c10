/** Order and cutting of scoring calls. */
import { expect, it } from "vitest";
import { ScoreSchedule } from "../../../native/inference/score_schedule.ts";
import { commonPrefix, sharingOrder } from "../../../src/language_model/sharing_order.ts";

const request = (context: number[], continuation: number[]) => ({ context, continuation });

it("sorts by ids, across the border of context and continuation; the longer of two that begin alike first", () => {
  const requests = [
    request([1, 2, 3], [4]),
    request([1, 2], [3]),
    request([0, 9], [9]),
    request([1, 2, 3], [4, 5]),
    request([1], [2, 2]),
    request([1, 2], [3, 4]),
  ];
  expect(sharingOrder(requests)).toEqual([2, 4, 3, 0, 5, 1]);
  expect(commonPrefix(requests[0], requests[5])).toBe(4);
});

it("calls grow until they take about a second, and hold every request once", () => {
  const requests = Array.from({ length: 3000 }, (_, i) => request([i, 1, 2, 3, 4, 5, 6, 7], [8, 9]));
  const schedule = new ScoreSchedule(requests);
  const sizes: number[] = [];
  const seen: number[] = [];
  for (let call = schedule.nextCall(); call.length > 0; call = schedule.nextCall()) {
    sizes.push(call.length);
    seen.push(...call);
    schedule.took(call.length / 800);
  }
  expect(seen.toSorted((a, b) => a - b)).toEqual(requests.map((_, i) => i));
  expect(sizes[0]).toBe(102);
  expect(sizes[1]).toBe(204);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(2 * 800);
  expect(sizes.slice(4, -1).every((size) => size >= 600 && size <= 1000)).toBe(true);
});

it("counts only what is new: requests behind the same examples fill a call slowly", () => {
  const shots = Array.from({ length: 500 }, (_, i) => i);
  const requests = Array.from({ length: 100 }, (_, i) => request([...shots, 1000 + i], [1]));
  expect(new ScoreSchedule(requests).nextCall().length).toBe(100);
});
