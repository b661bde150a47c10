import { describe, expect, it } from "vitest";
import { makeSchedule, scheduleSchema } from "../../../training/schedules/registry.ts";
import { agreeUpTo } from "../../../training/schedules/schedule.ts";

const peak = { learningRate: 1.5e-3, weightDecay: 0.1 };

function schedule(options: object, maxSteps: number) {
  return makeSchedule(scheduleSchema.parse(options), peak, maxSteps);
}

function rates(options: object, steps: number[], maxSteps: number): number[] {
  const { values } = schedule(options, maxSteps);
  return steps.map((step) => values(step).learningRate);
}

function expectClose(actual: number[], wanted: number[]): void {
  expect(actual).toHaveLength(wanted.length);
  for (const [i, value] of wanted.entries()) expect(actual[i]).toBeCloseTo(value, 12);
}

describe("schedules", () => {
  it("warms up linearly and reaches the peak at the last warm-up step", () => {
    expectClose(
      rates({ type: "constant", warmup_steps: 4 }, [1, 2, 4, 5, 100], 100),
      [0.375e-3, 0.75e-3, 1.5e-3, 1.5e-3, 1.5e-3],
    );
  });

  it("cosine: half way is the mean of peak and floor, the last step is the floor", () => {
    const options = { type: "cosine", warmup_steps: 100, min_ratio: 0.1 };
    expectClose(rates(options, [100, 1050, 2000], 2000), [1.5e-3, 0.825e-3, 0.15e-3]);
    // A quarter of the way: 0.1 + 0.9 * (1 + cos(pi / 4)) / 2 of the peak.
    expectClose(rates(options, [575], 2000), [1.5e-3 * (0.1 + (0.9 * (1 + Math.SQRT1_2)) / 2)]);
  });

  it("linear: a straight line from the peak to the floor", () => {
    const options = { type: "linear", warmup_steps: 100, min_ratio: 0.1 };
    expectClose(rates(options, [100, 575, 2000], 2000), [1.5e-3, 1.5e-3 * 0.775, 0.15e-3]);
  });

  it("two_stage: linear decay, a drop to 2/3 at stage2_start, zero at the end", () => {
    const options = { type: "two_stage" };
    expectClose(rates(options, [25, 50, 51, 75, 100], 100), [1.125e-3, 0.75e-3, 0.49e-3, 0.25e-3, 0]);
  });

  it("two_stage: weight decay stops with stage 1", () => {
    const { values } = schedule({ type: "two_stage", warmup_steps: 10 }, 100);
    const steps = [1, 10, 50, 51, 100].map(values);
    expect(steps.map(({ weightDecay }) => weightDecay)).toEqual([0.1, 0.1, 0.1, 0, 0]);
    expect(steps.map(({ phase }) => phase)).toEqual(["warmup", "warmup", "stage1", "stage2", "stage2"]);
  });

  it.each(["two_stage", "wsd", "cosine", "linear", "constant"])("%s: weight_decay_until ends weight decay", (type) => {
    const decays = (options: object) => [1, 30, 31, 100].map((step) => schedule(options, 100).values(step).weightDecay);
    expect(decays({ type, weight_decay_until: 0.3 })).toEqual([0.1, 0.1, 0, 0]);
    expect(decays({ type, weight_decay_until: 0 })).toEqual([0, 0, 0, 0]);
    expect(decays({ type })).toEqual(type === "two_stage" ? [0.1, 0.1, 0.1, 0] : [0.1, 0.1, 0.1, 0.1]);
  });

  it("two_stage: cosine decay in both stages", () => {
    const options = { type: "two_stage", decay: "cosine" };
    expectClose(rates(options, [50, 75], 100), [0.75e-3, (1e-3 * (1 - Math.SQRT1_2)) / 2]);
  });

  it("wsd: stable at the peak, then a fall by 1 - sqrt, a line or a cosine", () => {
    const options = { type: "wsd", warmup_steps: 10, decay_fraction: 0.2, min_ratio: 0.1 };
    const peakAndFloor = (share: number) => 1.5e-3 * (0.1 + 0.9 * share);
    expectClose(rates(options, [5, 10, 11, 80, 85, 100], 100), [
      0.75e-3,
      1.5e-3,
      1.5e-3,
      1.5e-3,
      peakAndFloor(0.5),
      0.15e-3,
    ]);
    expectClose(rates({ ...options, decay: "linear" }, [80, 85, 100], 100), [1.5e-3, peakAndFloor(0.75), 0.15e-3]);
    expectClose(rates({ ...options, decay: "cosine" }, [80, 90, 100], 100), [1.5e-3, peakAndFloor(0.5), 0.15e-3]);
    expectClose(rates({ ...options, decay_steps: 50 }, [50, 100, 120], 100), [1.5e-3, 0.15e-3, 0.15e-3]);
    const { values } = schedule(options, 100);
    expect([10, 11, 80, 81].map((step) => values(step).phase)).toEqual(["warmup", "stable", "stable", "decay"]);
  });

  it("stays at the floor when a run is longer than planned", () => {
    expectClose(rates({ type: "cosine", min_ratio: 0.1 }, [300], 200), [0.15e-3]);
  });
});

describe("agreeUpTo", () => {
  const constant = (maxSteps: number) => schedule({ type: "constant", warmup_steps: 4 }, maxSteps);
  const linear = (maxSteps: number) => schedule({ type: "linear", warmup_steps: 4 }, maxSteps);

  it("a constant rate does not look at the end, a decay does after warm-up", () => {
    expect(agreeUpTo(100, constant(100), constant(200))).toBe(true);
    expect(agreeUpTo(4, linear(100), linear(200))).toBe(true);
    expect(agreeUpTo(5, linear(100), linear(200))).toBe(false);
  });

  it("wsd does not look at the end before the decay of the shorter run", () => {
    const wsd = (maxSteps: number) => schedule({ type: "wsd", decay_steps: 20 }, maxSteps);
    expect(agreeUpTo(80, wsd(100), wsd(200))).toBe(true);
    expect(agreeUpTo(81, wsd(100), wsd(200))).toBe(false);
  });

  it("compares weight decay, too", () => {
    const twoStage = (start: number) =>
      schedule({ type: "two_stage", stage2_start: start, stage2_learning_rate: peak.learningRate }, 100);
    expect(agreeUpTo(10, twoStage(0.1), twoStage(0.2))).toBe(true);
    expect(agreeUpTo(11, twoStage(0.1), twoStage(0.2))).toBe(false);
  });
});
