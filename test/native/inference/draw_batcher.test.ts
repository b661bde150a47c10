/** Which draws run together, and that one caller's trouble is not the others'. The tokens: text_model.test.ts. */
import { describe, expect, it } from "vitest";
import { DrawBatcher, type DrawCall } from "../../../native/inference/draw_batcher.ts";
import type { NativeEngine } from "../../../native/inference/native_engine.ts";
import { RequestError } from "../../../src/language_model/request_error.ts";

const full = 99;

/** Draws the session's number, as often as asked; session 99 is full. Notes the sessions and steps of each call. */
function fakeEngine() {
  const calls: { sessions: number[]; steps: number }[] = [];
  const generate: NativeEngine["generate"] = async (sessions, _slots, _ids, _counts, _sampling, steps) => {
    calls.push({ sessions: [...sessions], steps });
    if (sessions.includes(full)) throw Object.assign(new Error("context overflow"), { code: "REQUEST" });
    return Array.from(sessions, (session) => new Int32Array(steps).fill(session));
  };
  return { calls, batcher: new DrawBatcher({ generate } as NativeEngine) };
}

const drawOf = (session: number, options: Partial<DrawCall> & { ids?: number[] } = {}): DrawCall => ({
  draws: [{ session, slot: 0, ids: options.ids ?? [1], sampling: [0, 0, 1, 0, 0] }],
  steps: 4,
  endIds: [2],
  ...options,
});

describe("draws that are asked for at the same time", () => {
  it("are one call, of as many steps as the one that wants fewest", async () => {
    const { calls, batcher } = fakeEngine();
    const tokens = await Promise.all([batcher.draw(drawOf(5)), batcher.draw(drawOf(6, { steps: 3 }))]);
    expect(calls).toEqual([{ sessions: [5, 6], steps: 3 }]);
    expect(tokens.map(([row]) => [...row!])).toEqual([
      [5, 5, 5],
      [6, 6, 6],
    ]);
  });

  it("meet again after every call", async () => {
    const { calls, batcher } = fakeEngine();
    const generate = async (session: number) => {
      for (let i = 0; i < 3; i++) await batcher.draw(drawOf(session));
    };
    await Promise.all([generate(1), generate(2), generate(3)]);
    expect(calls.map(({ sessions }) => sessions.length)).toEqual([3, 3, 3]);
  });

  it("run apart if their ends differ, or a prompt is long", async () => {
    const { calls, batcher } = fakeEngine();
    await Promise.all([
      batcher.draw(drawOf(1)),
      batcher.draw(drawOf(2, { endIds: [] })),
      batcher.draw({ ...drawOf(3), draws: [{ ...drawOf(3).draws[0]!, ids: new Int32Array(100) }] }),
      batcher.draw(drawOf(4)),
    ]);
    expect(calls.map(({ sessions }) => sessions)).toEqual([[1, 4], [2], [3]]);
  });
});

describe("a call that", () => {
  it("is refused fails alone", async () => {
    const { calls, batcher } = fakeEngine();
    const [good, bad, other] = await Promise.allSettled([
      batcher.draw(drawOf(1)),
      batcher.draw(drawOf(full)),
      batcher.draw(drawOf(2)),
    ]);
    expect([good.status, other.status]).toEqual(["fulfilled", "fulfilled"]);
    expect(bad).toMatchObject({ status: "rejected", reason: expect.any(RequestError) });
    expect(calls.map(({ sessions }) => sessions)).toEqual([[1, full, 2], [1], [full], [2]]);
  });

  it("is aborted before it runs never runs", async () => {
    const { calls, batcher } = fakeEngine();
    const abort = new AbortController();
    const aborted = batcher.draw(drawOf(1, { signal: abort.signal }));
    const other = batcher.draw(drawOf(2));
    abort.abort(new Error("no longer wanted"));
    await expect(aborted).rejects.toThrow("no longer wanted");
    await other;
    expect(calls.map(({ sessions }) => sessions)).toEqual([[2]]);
  });
});
