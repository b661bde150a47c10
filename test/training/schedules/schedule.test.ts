import { describe, expect, it } from "vitest";
import { type Schedule, scheduledValues } from "../../../training/schedules/schedule.ts";

const base: Schedule = {
  type: "cosine",
  warmupSteps: 0,
  minRatio: 0,
  stage2Start: 0.5,
  stage2LearningRate: 1e-3,
  stage2WeightDecay: 0,
  decay: "linear",
};
const peak = { learningRate: 1.5e-3, weightDecay: 0.1 };

function rates(schedule: Schedule, steps: number[], maxSteps: number): number[] {
  return steps.map((step) => scheduledValues(schedule, peak, step, maxSteps).learningRate);
}

function expectClose(actual: number[], wanted: number[]): void {
  expect(actual).toHaveLength(wanted.length);
  for (const [i, value] of wanted.entries()) expect(actual[i]).toBeCloseTo(value, 12);
}

describe("scheduledValues", () => {
  it("warms up linearly and reaches the peak at the last warm-up step", () => {
    expectClose(
      rates({ ...base, type: "constant", warmupSteps: 4 }, [1, 2, 4, 5, 100], 100),
      [0.375e-3, 0.75e-3, 1.5e-3, 1.5e-3, 1.5e-3],
    );
  });

  it("cosine: half way is the mean of peak and floor, the last step is the floor", () => {
    const schedule = { ...base, warmupSteps: 100, minRatio: 0.1 };
    expectClose(rates(schedule, [100, 1050, 2000], 2000), [1.5e-3, 0.825e-3, 0.15e-3]);
    // A quarter of the way: 0.1 + 0.9 * (1 + cos(pi / 4)) / 2 of the peak.
    expectClose(rates(schedule, [575], 2000), [1.5e-3 * (0.1 + (0.9 * (1 + Math.SQRT1_2)) / 2)]);
  });

  it("linear: a straight line from the peak to the floor", () => {
    const schedule: Schedule = { ...base, type: "linear", decay: "cosine", warmupSteps: 100, minRatio: 0.1 };
    expectClose(rates(schedule, [100, 575, 2000], 2000), [1.5e-3, 1.5e-3 * 0.775, 0.15e-3]);
  });

  it("two_stage: linear decay, a drop to 2/3 at stage2_start, zero at the end", () => {
    const schedule: Schedule = { ...base, type: "two_stage", warmupSteps: 0 };
    expectClose(rates(schedule, [25, 50, 51, 75, 100], 100), [1.125e-3, 0.75e-3, 0.49e-3, 0.25e-3, 0]);
  });

  it("two_stage: weight decay stops with stage 1", () => {
    const schedule: Schedule = { ...base, type: "two_stage", warmupSteps: 10 };
    const decay = (step: number) => scheduledValues(schedule, peak, step, 100).weightDecay;
    expect([1, 10, 50, 51, 100].map(decay)).toEqual([0.1, 0.1, 0.1, 0, 0]);
  });

  it("two_stage: cosine decay in both stages", () => {
    const schedule: Schedule = { ...base, type: "two_stage", decay: "cosine" };
    expectClose(rates(schedule, [50, 75], 100), [0.75e-3, (1e-3 * (1 - Math.SQRT1_2)) / 2]);
  });

  it("stays at the floor when a run is longer than planned", () => {
    expectClose(rates({ ...base, minRatio: 0.1 }, [300], 200), [0.15e-3]);
  });
});
