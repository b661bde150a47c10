/** What `bitnet-report` does. The command loads it, and what opens checkpoints with it, when it runs. */
import path from "node:path";
import { shortNames } from "../../src/eval/report/model_comparison.ts";
import { runFigures, runPage } from "../../src/report/run/run_page.ts";
import { sweepFigures, sweepPage } from "../../src/report/sweep/sweep_page.ts";
import { ReportError, readRun } from "./read_run.ts";
import { isSweep, readSweepReport } from "./read_sweep.ts";
import { prepareReport, writeReport } from "./write_report.ts";

export interface ReportOptions {
  out?: string;
  png: boolean;
  weights: boolean;
}

async function reportOnRuns(folders: readonly string[], out: string, options: ReportOptions): Promise<string[]> {
  const names = shortNames(folders.map((folder) => path.resolve(folder)));
  const runs = [];
  for (const [i, folder] of folders.entries()) runs.push(await readRun(folder, names[i], options));
  prepareReport(out);
  return writeReport(out, runPage(runs), options.png ? runFigures(runs) : null);
}

/** @returns lines to tell @throws {ReportError | SweepError} */
export async function reportOn(folders: readonly string[], options: ReportOptions): Promise<string[]> {
  const out = options.out ?? path.join(folders.length === 1 ? folders[0] : ".", "report.html");
  const sweep = folders.find(isSweep);
  if (sweep === undefined) return reportOnRuns(folders, out, options);
  if (folders.length > 1) throw new ReportError(`${sweep} is a sweep: a report is about one sweep, or about runs`);
  const read = readSweepReport(sweep);
  prepareReport(out);
  return writeReport(out, sweepPage(read), options.png ? sweepFigures(read) : null);
}
