/** The page of a sweep: what its tables and figures say of the summary. */
import { expect, test } from "vitest";
import type { ReportedSweep } from "../../src/report/sweep/sweep_data.ts";
import { sweepFigures, sweepPage } from "../../src/report/sweep/sweep_page.ts";

const row = (step: number, val_loss: number) => ({
  step,
  tokens: step * 10,
  loss: val_loss,
  val_loss,
  learning_rate: 1e-3,
  grad_norm: 1,
  tokens_per_second: 1,
});

function arm(
  name: string,
  values: readonly number[],
  tried: readonly (number | null)[],
): ReportedSweep["arms"][number] {
  const mean = values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    arm: name,
    n: values.length,
    failed: values.length === 0 ? 2 : 0,
    unfinished: 0,
    mean,
    sd: values.length > 1 ? 0.05 : null,
    values: values.map((value, seed) => ({ seed, value })),
    bitsPerByte: mean === null ? null : mean / 2,
    tokens: 12_000,
    learningRate: 0.002,
    tuned: { tried: tried.map((metric, i) => ({ value: 0.001 * 2 ** i, metric })) },
    floatTwin: null,
  };
}

const runs = ["row", "<i>tensor</i>"].flatMap((name, a) =>
  [0, 1].map((seed) => ({
    name: `${name}-seed${seed}`,
    arm: name,
    seed,
    stage: "final" as const,
    status: "finished",
    step: 20,
    value: 2 + a + seed / 10,
    failure: null,
    rows: [row(10, 3 + a + seed / 10), row(20, 2 + a + seed / 10)],
  })),
);

const sweep: ReportedSweep = {
  name: "scales <b>",
  directory: "/sweeps/scales",
  metric: { name: "val_loss", goal: "minimize" },
  confidence: 0.95,
  seeds: [0, 1],
  tunedKey: "optimizer.learning_rate",
  arms: [arm("row", [2, 2.1], [2.2, 2, 2.4]), arm("<i>tensor</i>", [3, 3.1], [3.1, 3, null]), arm("broken", [], [])],
  comparisons: [
    {
      name: "granularity",
      baseline: "row",
      arms: [
        {
          arm: "<i>tensor</i>",
          n: 2,
          mean: 1,
          standardError: 0.02,
          tInterval: { low: 0.9, high: 1.1 },
          bootstrapInterval: { low: 0.95, high: 1.05 },
          adjustedP: 0.0004,
          verdict: "worse",
          neededSeeds: 2,
        },
        {
          arm: "broken",
          n: 0,
          mean: 0,
          standardError: null,
          tInterval: null,
          bootstrapInterval: null,
          adjustedP: null,
          verdict: "failed",
          neededSeeds: null,
        },
      ],
      ranking: [
        { arm: "row", mean: 2.05, best: 1, worst: 1 },
        { arm: "<i>tensor</i>", mean: 3.05, best: 2, worst: 3 },
      ],
    },
  ],
  runs,
  scaling: null,
  notes: ["Better or worse: |mean| >= 2 standard errors."],
};

const html = sweepPage(sweep);
const rows = [...html.matchAll(/<tr>(.*?)<\/tr>/g)].map(([, cells]) =>
  [...cells.matchAll(/<t[dh][^>]*>(.*?)<\/t[dh]>/g)].map(([, cell]) => cell),
);
const tensor = "&lt;i&gt;tensor&lt;/i&gt;";

test("tables: arms, differences with verdict and intervals, places that ties share, runs", () => {
  expect(rows).toContainEqual(["row", "2", "2.0500", "0.0500", "1.0250", "0.002", "12,000", ""]);
  expect(rows).toContainEqual(["broken", "0", "", "", "", "0.002", "12,000", "2"]);
  expect(rows).toContainEqual([
    tensor,
    "worse",
    "2",
    "+1.0000",
    "+0.9000 to +1.1000",
    "+0.9500 to +1.0500",
    "0.0200",
    "&lt;0.001",
    "2 to 3",
    "2",
  ]);
  expect(rows).toContainEqual(["broken", "failed", "0", "", "", "", "", "", "", ""]);
  expect(rows).toContainEqual(["2 to 3", tensor, "3.0500"]);
  expect(rows).toContainEqual(["row-seed1", "row", "1", "final", "finished", "20", "2.1000"]);
  expect(html).toContain("|mean| &gt;= 2 standard errors");
  expect(html).not.toMatch(/<script|<i>tensor|scales <b>/);
});

test("figures: arms, what was tuned, differences, curves with a mean and thin seeds", () => {
  const figures = sweepFigures(sweep);
  expect(figures.map(({ title }) => title)).toEqual([
    "Arms: mean, one s.d., runs",
    "val_loss by optimizer.learning_rate",
    "granularity: difference from row",
    "granularity: val_loss over the run",
  ]);
  const [, tuning, difference, curves] = figures.map(({ svg }) => svg);
  // Rates of 0.001 to 0.004 lie a factor apart; the failed one has no dot.
  const dots = [...tuning.matchAll(/<circle cx="([\d.]+)"/g)].map(([, x]) => Number(x));
  expect(dots).toHaveLength(5);
  const xs = [...new Set(dots)].sort((a, b) => a - b);
  expect(xs[1] - xs[0]).toBeCloseTo(xs[2] - xs[1], 1);
  // One arm has a difference; the line of no difference is there.
  expect(difference.match(/<circle /g)).toHaveLength(1);
  expect(difference).toContain('stroke="var(--text)"');
  const widths = [...curves.matchAll(/<path [^>]*stroke-width="([\d.]+)"/g)].map(([, width]) => width);
  expect(widths.sort()).toEqual(["1", "1", "1", "1", "1.8", "1.8"]);
  expect(curves.match(/>row<|tensor/g)!.length).toBeGreaterThan(1);
});
