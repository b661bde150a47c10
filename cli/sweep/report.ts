/** `bitnet-sweep report`: tables in the terminal, report.md and summary.json. */
import path from "node:path";
import { counted } from "../../src/errors/counted.ts";
import { writeWholeFileSync } from "../../src/files/whole_file.ts";
import { renderPng } from "../../src/report/figures/render_png.ts";
import { armTable, comparisonTable, reportMarkdown, summaryNotes } from "../../training/sweep/report_text.ts";
import { scalingFigure, scalingFits, scalingLines } from "../../training/sweep/scaling_report.ts";
import { summarize } from "../../training/sweep/summary.ts";
import { SweepDirectory } from "../../training/sweep/sweep_directory.ts";
import { readSweepResults, type SweepResults } from "../../training/sweep/sweep_results.ts";
import { say, sayAside } from "../terminal/say.ts";

/** Fits of the sweep's scaling laws: lines, scaling.json and scaling.png. */
async function showScaling(results: SweepResults, directory: SweepDirectory): Promise<void> {
  const fits = scalingFits(results);
  console.log();
  for (const fit of fits) for (const line of scalingLines(fit)) say(line);
  writeWholeFileSync(path.join(directory.path, "scaling.json"), `${JSON.stringify(fits, null, 2)}\n`);
  const figure = scalingFigure(fits, results.sweep.metric.name);
  const plot = path.join(directory.path, "scaling.png");
  if (figure !== null) writeWholeFileSync(plot, await renderPng(figure));
  say(`N: parameters of the layers' matrices, D: tokens; intervals of a bootstrap over the runs. Plot: ${plot}`);
}

/** @param hasScaling fits the laws, too */
export async function showReport(folder: string, hasScaling: boolean): Promise<void> {
  const directory = new SweepDirectory(folder);
  const results = readSweepResults(directory);
  const summary = summarize(results);
  console.log(armTable(summary, false).join("\n"));
  for (const comparison of summary.comparisons) {
    if (comparison.arms.length === 0) continue;
    console.log(`\n${comparison.name}: against ${comparison.baseline}`);
    console.log(comparisonTable(comparison, summary.decision.confidence, false).join("\n"));
  }
  console.log();
  for (const line of summaryNotes(summary)) say(line);
  const open = results.runs.filter(({ status }) => status === "open" || status === "running").length;
  if (open > 0) sayAside(`note: ${counted(open, "run")} not done yet: bitnet-sweep --out ${folder}`);
  writeWholeFileSync(directory.summaryFile, `${JSON.stringify(summary, null, 2)}\n`);
  writeWholeFileSync(directory.reportFile, reportMarkdown(summary, folder));
  if (hasScaling) await showScaling(results, directory);
  say(`written to ${directory.reportFile} and ${directory.summaryFile}`);
}
