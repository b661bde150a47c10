/** Reads what the page of a sweep shows from its folder. */
import path from "node:path";
import type { ReportedSweep } from "../../src/report/sweep/sweep_data.ts";
import { ScalingError } from "../../src/statistics/scaling.ts";
import { summaryNotes } from "../../training/sweep/report_text.ts";
import { scalingFigure, scalingFits, scalingLines } from "../../training/sweep/scaling_report.ts";
import { summarize } from "../../training/sweep/summary.ts";
import { SweepDirectory } from "../../training/sweep/sweep_directory.ts";
import { readSweepResults, type SweepResults } from "../../training/sweep/sweep_results.ts";
import { ReportError } from "./read_run.ts";

/** True for a folder of `bitnet-sweep`. */
export const isSweep = (directory: string) => new SweepDirectory(directory).hasSweep();

/** Null where the runs have too few sizes for a law. */
function scalingOf(results: SweepResults): ReportedSweep["scaling"] {
  try {
    const fits = scalingFits(results);
    return { lines: fits.flatMap(scalingLines), figure: scalingFigure(fits, results.sweep.metric.name) };
  } catch (error) {
    if (error instanceof ScalingError) return null;
    throw error;
  }
}

/** The summary as it follows from the runs that are there, finished or not. @throws {SweepError | ReportError} */
export function readSweepReport(directory: string): ReportedSweep {
  const results = readSweepResults(new SweepDirectory(directory));
  if (results.runs.length === 0) throw new ReportError(`${directory}: the sweep has no runs yet`);
  const summary = summarize(results);
  return {
    name: summary.name ?? path.basename(path.resolve(directory)),
    directory,
    metric: summary.metric,
    confidence: summary.decision.confidence,
    seeds: summary.seeds,
    tunedKey: results.sweep.tune?.parameter ?? null,
    arms: summary.arms,
    comparisons: summary.comparisons,
    runs: results.runs,
    scaling: scalingOf(results),
    notes: summaryNotes(summary),
  };
}
