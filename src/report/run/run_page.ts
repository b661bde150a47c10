/** Runs as one page: curves side by side, what was different between them, and a look into each. */
import { type Figure, figureGrid } from "../figures/figure.ts";
import { escapeHtml } from "../markup.ts";
import { faintLine, htmlPage, legend, section, textLines } from "../page.ts";
import { lossFigures, otherFigures } from "./curves.ts";
import type { ReportedRun, SamplePoint } from "./run_data.ts";
import { changeLines, configurations, differencesTable, environmentTable, summaryTable } from "./tables.ts";
import { telemetryFigures } from "./telemetry.ts";
import { histogramFigures, weightsHtml } from "./weights.ts";

/** Samples shown of a run: the first, the last, and some between. */
const mostSamples = 8;

function samplesHtml(samples: readonly SamplePoint[]): string {
  const every = Math.max(1, Math.ceil(samples.length / mostSamples));
  const shown = samples.filter((_, i) => i === 0 || (samples.length - 1 - i) % every === 0);
  return shown
    .map(({ step, prompt, text }) => {
      const begin = prompt === "" ? "" : `<b>${escapeHtml(prompt)}</b>`;
      return `<div class="faint">step ${step}</div><pre>${begin}${escapeHtml(text)}</pre>`;
    })
    .join("\n");
}

/** A part for each run, folded below its name where there are several. */
function perRun(runs: readonly ReportedRun[], html: (run: ReportedRun) => string): string {
  return runs
    .map((run) => {
      const body = html(run);
      if (body === "" || runs.length === 1) return body;
      return `<details><summary>${escapeHtml(run.name)}</summary>\n${body}</details>`;
    })
    .filter((part) => part !== "")
    .join("\n");
}

/** Figures of one run alone; their titles say whose they are where there are several. */
function ownFigures(run: ReportedRun, isAlone: boolean): (Figure | null)[] {
  const own = [...histogramFigures(run.weights), ...telemetryFigures(run.telemetry)];
  return isAlone ? own : own.map((figure) => figure && { ...figure, title: `${run.name}: ${figure.title}` });
}

/** All figures of the page; those without values are left out. */
export function runFigures(runs: readonly ReportedRun[]): Figure[] {
  const own = runs.flatMap((run) => ownFigures(run, runs.length === 1));
  return [...lossFigures(runs), ...otherFigures(runs), ...own].filter((figure) => figure !== null);
}

/** @param runs at least one */
export function runPage(runs: readonly ReportedRun[]): string {
  const names = runs.map(({ name }) => name);
  const heading = names.join(", ");
  return htmlPage(`bitnet-report: ${heading}`, [
    `<h1>${escapeHtml(heading)}</h1>`,
    ...runs.map(({ directory }) => faintLine(directory)),
    textLines(runs.flatMap(({ name, notes }) => notes.map((note) => `${name}: ${note}`))),
    section("Summary", summaryTable(runs)),
    section("Loss", runs.length > 1 ? legend(names) : "", figureGrid(lossFigures(runs))),
    section("Course", figureGrid(otherFigures(runs))),
    runs.length > 1 ? section("Differences of the configurations", differencesTable(runs)) : "",
    section("Changed on the way", textLines(changeLines(runs))),
    section(
      "Weights",
      perRun(runs, ({ weights }) => weightsHtml(weights)),
    ),
    section(
      "Telemetry",
      perRun(runs, ({ telemetry }) => figureGrid(telemetryFigures(telemetry))),
    ),
    section(
      "Samples",
      perRun(runs, ({ samples }) => samplesHtml(samples)),
    ),
    section("System", environmentTable(runs)),
    section("Configurations", configurations(runs)),
  ]);
}
