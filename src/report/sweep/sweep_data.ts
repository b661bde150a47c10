/** What the page of a sweep is made of: its summary, and the curves of its runs. */
import type { Figure } from "../figures/figure.ts";
import type { MetricPoint } from "../run/run_data.ts";

export interface SpanOf {
  low: number;
  high: number;
}

export interface ReportedArm {
  arm: string;
  /** Finished runs. */
  n: number;
  failed: number;
  unfinished: number;
  /** Of the metric over the finished runs; the standard deviation is null where there are fewer than two. */
  mean: number | null;
  sd: number | null;
  values: readonly { seed: number; value: number }[];
  bitsPerByte: number | null;
  tokens: number | null;
  /** Peak. */
  learningRate: number | null;
  /** Means of the metric at the values that were tried; null where a run failed. */
  tuned: { tried: readonly { value: number; metric: number | null }[] } | null;
  /** Distance from the float twin, where it was measured. */
  floatTwin: { kl: number; top1Agreement: number } | null;
}

/** Arm minus baseline, over pairs of the same seed. */
export interface ReportedDifference {
  arm: string;
  /** Pairs. */
  n: number;
  mean: number;
  standardError: number | null;
  tInterval: SpanOf | null;
  bootstrapInterval: SpanOf | null;
  /** With Holm's correction. */
  adjustedP: number | null;
  verdict: string;
  neededSeeds: number | null;
}

/** A place from `best` to `worst`: what seeds cannot separate is not ordered. */
export interface ReportedPlace {
  arm: string;
  mean: number;
  best: number;
  worst: number;
}

export interface ReportedComparison {
  name: string;
  baseline: string;
  arms: readonly ReportedDifference[];
  ranking: readonly ReportedPlace[];
}

export interface ReportedSweepRun {
  name: string;
  arm: string;
  seed: number;
  /** `tune`: it chooses the arm's value of the tuned parameter, and counts nowhere else. */
  stage: "tune" | "final";
  /** Value of the tuned parameter. */
  tuned?: number;
  status: string;
  step: number;
  /** Of the metric. */
  value: number | null;
  failure: string | null;
  rows: readonly MetricPoint[];
}

export interface ReportedSweep {
  name: string;
  directory: string;
  metric: { name: string; goal: "minimize" | "maximize" };
  /** Of the intervals: 0.95. */
  confidence: number;
  seeds: readonly number[];
  /** Key of the tuned parameter; null if nothing was tuned. */
  tunedKey: string | null;
  arms: readonly ReportedArm[];
  comparisons: readonly ReportedComparison[];
  runs: readonly ReportedSweepRun[];
  /** Laws of loss over sizes, where the sweep has enough of them: lines to tell, and the figure. */
  scaling: { lines: readonly string[]; figure: Figure | null } | null;
  /** How verdicts are reached, and what readers must know. */
  notes: readonly string[];
}
