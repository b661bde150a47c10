/** What `bitnet-report` does. The command loads it, and what opens checkpoints with it, when it runs. */
import path from "node:path";
import { shortNames } from "../../src/eval/report/model_comparison.ts";
import { runFigures, runPage } from "../../src/report/run/run_page.ts";
import { readRun } from "./read_run.ts";
import { prepareReport, writeReport } from "./write_report.ts";

export interface ReportOptions {
  out?: string;
  png: boolean;
  weights: boolean;
}

/** @returns lines to tell @throws {ReportError} */
export async function reportOn(folders: readonly string[], options: ReportOptions): Promise<string[]> {
  const names = shortNames(folders.map((folder) => path.resolve(folder)));
  const runs = [];
  for (const [i, folder] of folders.entries()) runs.push(await readRun(folder, names[i], options));
  const out = options.out ?? path.join(folders.length === 1 ? folders[0] : ".", "report.html");
  prepareReport(out);
  return writeReport(out, runPage(runs), options.png ? runFigures(runs) : null);
}
