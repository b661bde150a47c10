/** Trackers: what they are told, in which order, and that nothing of theirs ends a run. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MetricsRow } from "../../../training/metrics.ts";
import { loadTracker } from "../../../training/trackers/load_tracker.ts";
import type { TrackedRun, Tracker } from "../../../training/trackers/tracker.ts";
import { TrackerCalls } from "../../../training/trackers/tracker_calls.ts";

const run = { name: "book", project: "runs", directory: "/runs/book", step: 0 } as TrackedRun;
const row = { step: 3, loss: 2, val_loss: undefined, backend: "native" } as unknown as MetricsRow;

function callsOf(tracker: Tracker, seconds?: number) {
  const remarks: string[] = [];
  return { remarks, calls: new TrackerCalls(tracker, run, (line) => remarks.push(line), seconds) };
}

describe("a tracker", () => {
  it("gets numbers, telemetry and samples by name, one call at a time", async () => {
    const seen: unknown[] = [];
    let running = 0;
    const slow = async (...call: unknown[]) => {
      expect(running++).toBe(0);
      await new Promise((resolve) => setTimeout(resolve, 2));
      running--;
      seen.push(call);
    };
    const { calls, remarks } = callsOf({
      init: (each) => slow("init", each.name),
      log: (values, { step }) => slow("log", step, values),
      finish: ({ state }) => slow("finish", state),
    });
    calls.onMetrics(row);
    const weights = { low: -4, high: 4, counts: [1] };
    calls.onTelemetry(3, [{ step: 3, name: "model.norm.weight", kind: "norm", norm: 8, weights }]);
    calls.onSample(3, "Once");
    await calls.finish("finished");
    expect(seen).toEqual([
      ["init", "book"],
      ["log", 3, { loss: 2 }],
      ["log", 3, { "norm/model.norm": 8, "weights/model.norm": weights }],
      ["log", 3, { sample: "Once" }],
      ["finish", "finished"],
    ]);
    expect(remarks).toEqual([]);
  });

  it("that fails is told of once, and left alone", async () => {
    let logged = 0;
    const { calls, remarks } = callsOf({
      name: "mine.mjs",
      log: () => {
        logged++;
        throw new Error("no route\nto host");
      },
    });
    for (let i = 0; i < 3; i++) calls.onMetrics(row);
    await calls.finish("failed");
    expect(logged).toBe(1);
    expect(remarks).toEqual(["mine.mjs: no route; to host; the run goes on without it"]);
  });

  it("that hangs is waited for only so long", async () => {
    const { calls, remarks } = callsOf({ init: () => new Promise(() => {}), log: () => {} }, 0.02);
    calls.onMetrics(row);
    await calls.finish("finished");
    expect(remarks).toEqual(["tracker: is not done 0.02 s after the end; the run goes on without it"]);
  });
});

describe("loadTracker", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "tracker-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, text: string) => {
    writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  };

  it("takes functions, and an object by default with its own state", async () => {
    const functions = await loadTracker(write("functions.mjs", "export const log = (values) => values.loss;"));
    expect(functions).toMatchObject({ name: "functions.mjs", init: undefined });
    expect(functions.log({ loss: 2 }, { step: 1 })).toBe(2);
    const text = "export default new (class { sum = 0; log(values) { return (this.sum += values.loss); } })();";
    const instance = await loadTracker(write("instance.mjs", text));
    instance.log({ loss: 2 }, { step: 1 });
    expect(instance.log({ loss: 3 }, { step: 2 })).toBe(5);
  });

  it("says in one line what is not one", async () => {
    const file = write("other.mjs", "export const lag = 1;");
    await expect(loadTracker(file)).rejects.toThrow(
      `tracker ${file}: it exports no function log, alone or in an object as its default`,
    );
    await expect(loadTracker(path.join(folder, "absent.mjs"))).rejects.toThrow(/^tracker .*absent\.mjs: no such file$/);
  });
});
