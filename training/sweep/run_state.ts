/** How far a run of a sweep is, by what lies in its folder. */
import { existsSync } from "node:fs";
import { largest, smallest } from "../../src/arrays/large_arrays.ts";
import type { MetricsRow } from "../metrics.ts";
import { type RunDirectory, readRows } from "../run_directory.ts";
import { latestStep } from "../training_checkpoint.ts";
import type { Metric } from "./sweep_schema.ts";

export interface RunState {
  /** Updates that metrics.jsonl tells of and the newest checkpoint has: the run goes on from there. */
  step: number;
  /** Why the run cannot go on: its loss was not finite at `step`. That is its result. */
  failure: { step: number; reason: string } | null;
  rows: readonly MetricsRow[];
}

const unstarted: RunState = { step: 0, failure: null, rows: [] };

/** @param directory undefined for a run without one */
export function readRunState(directory: RunDirectory | undefined): RunState {
  if (directory === undefined) return unstarted;
  const rows = readRows<MetricsRow>(directory.metricsFile);
  const told = rows.at(-1)?.step ?? 0;
  // Where there are no checkpoints at all, only the results of a run were kept.
  const saved = existsSync(directory.checkpoints) ? latestStep(directory.checkpoints) : told;
  return { step: Math.min(told, saved), failure: directory.readFailure(), rows };
}

/** True if nothing is left to do up to that step. */
export function isSettled({ step, failure }: RunState, untilStep: number): boolean {
  return failure !== null || step >= untilStep;
}

/** Value of the metric up to a step; null if there is none, or the run failed before it. */
export function metricValue(state: RunState, { name, take, goal }: Metric, untilStep = Infinity): number | null {
  if (state.failure !== null && state.failure.step <= untilStep) return null;
  const values = state.rows
    .filter(({ step }) => step <= untilStep)
    .map((row) => (row as unknown as Record<string, unknown>)[name])
    .filter((value) => typeof value === "number");
  if (values.length === 0) return null;
  if (take === "last") return values[values.length - 1];
  return goal === "minimize" ? smallest(values) : largest(values);
}

/** Negative if `a` is better; a run without a value is worse than all. */
export function compareValues(a: number | null, b: number | null, { goal }: Metric): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return goal === "minimize" ? a - b : b - a;
}
