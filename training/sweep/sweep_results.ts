/** What the folder of a sweep says, as plain data: read for status, summary and reports. Needs no tfjs and no data. */
import { folderWriter } from "../../src/files/folder_lock.ts";
import type { RunConfig } from "../config/run_config.ts";
import type { MetricsRow } from "../metrics.ts";
import { armsOf } from "./arms.ts";
import { tokensPerStep } from "./budget.ts";
import { baselineOf, comparisonsOf } from "./comparisons.ts";
import type { MeasuredTwin } from "./float_twin.ts";
import { isSettled, metricValue, readRunState } from "./run_state.ts";
import type { RunRecord, SweepDirectory } from "./sweep_directory.ts";
import type { Comparison, SweepFile } from "./sweep_schema.ts";
import { chooseTuned, meansByValue, type TunedValue } from "./tuned_value.ts";

/** `stopped`: by early termination. `open`: not begun, or begun and interrupted. */
export type RunStatus = "finished" | "stopped" | "failed" | "running" | "open";

export interface RunResult extends RunRecord {
  status: RunStatus;
  /** Updates made. */
  step: number;
  /** Tokens trained on. */
  tokens: number;
  /** Of the sweep's metric; null if the run has none, or failed. */
  value: number | null;
  /** Validation loss in bits per byte, of the row that `value` is from, where it has one. */
  bitsPerByte: number | null;
  /** Peak. */
  learningRate: number | null;
  failure: string | null;
  /** How far the model is from its float twin, where that was measured. */
  floatTwin: MeasuredTwin | null;
  /** Rows of metrics.jsonl. */
  rows: readonly MetricsRow[];
  /** Null before the run has begun. */
  config: RunConfig | null;
}

export interface SweepResults {
  sweep: SweepFile;
  /** In the order of the plan. */
  arms: readonly string[];
  baseline: string;
  comparisons: readonly Comparison[];
  seeds: readonly number[];
  runs: readonly RunResult[];
  /** Value of the tuned parameter that each arm was given. */
  tuned: Readonly<Record<string, TunedValue>>;
}

export function readSweepResults(directory: SweepDirectory): SweepResults {
  const sweep = directory.readSweep();
  const records = directory.readRecords();
  const runs = records.map((record) => readRun(directory, record, sweep));
  const known = armsOf(sweep);
  const arms = known.map(({ name }) => name).filter((name) => records.some(({ arm }) => arm === name));
  const seeds = [...new Set(records.filter(({ stage }) => stage === "final").map(({ seed }) => seed))];
  return {
    sweep,
    arms,
    baseline: baselineOf(sweep, known),
    comparisons: comparisonsOf(sweep, known),
    seeds,
    runs,
    tuned: tunedValues(runs, sweep) ?? directory.readTuned(),
  };
}

/** What the tuning runs show; null without them (an earlier sweep's values are in tuned.json). */
function tunedValues(runs: readonly RunResult[], { metric }: SweepFile): Record<string, TunedValue> | null {
  const tuning = runs.filter(({ stage }) => stage === "tune");
  if (tuning.length === 0) return null;
  const arms = [...new Set(tuning.map(({ arm }) => arm))];
  const triedBy = (name: string) =>
    tuning.filter(({ arm }) => arm === name).map(({ tuned, value }) => ({ value: tuned!, metric: value }));
  return Object.fromEntries(arms.map((arm) => [arm, chooseTuned(meansByValue(triedBy(arm)), metric)]));
}

function readRun(directory: SweepDirectory, record: RunRecord, { metric }: SweepFile): RunResult {
  const folder = directory.run(record.folder);
  const state = readRunState(folder);
  const config = folder.hasRun() ? folder.readConfig() : null;
  const value = metricValue(state, metric);
  const valued = state.rows.findLast((row) => (row as unknown as Record<string, unknown>)[metric.name] === value);
  return {
    ...record,
    status: statusOf(),
    step: state.step,
    tokens: config === null ? 0 : state.step * tokensPerStep(config),
    value,
    bitsPerByte: valued?.bits_per_byte ?? null,
    learningRate: config?.optimizer.learning_rate ?? null,
    failure: state.failure?.reason ?? null,
    floatTwin: directory.readTwinDistance(record.folder),
    rows: state.rows,
    config,
  };

  function statusOf(): RunStatus {
    if (state.failure !== null) return "failed";
    if (isSettled(state, record.steps)) return "finished";
    if (folderWriter(folder.path) !== null) return "running";
    return record.until < record.steps && state.step >= record.until ? "stopped" : "open";
  }
}
