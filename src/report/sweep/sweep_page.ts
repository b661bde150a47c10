/** A sweep as one page: verdicts first, then arms, curves, what was tuned, and every run. */
import { counted } from "../../errors/counted.ts";
import { type Figure, figureGrid } from "../figures/figure.ts";
import { escapeHtml } from "../markup.ts";
import { definitionList, faintLine, htmlPage, section, textLines } from "../page.ts";
import type { ReportedComparison, ReportedSweep } from "./sweep_data.ts";
import { armsFigure, curvesFigure, differencesFigure, titled, tuningFigure } from "./sweep_figures.ts";
import { armsTable, differencesTable, rankingTable, runsTable } from "./sweep_tables.ts";

function comparisonFigures(sweep: ReportedSweep, comparison: ReportedComparison): (Figure | null)[] {
  return [
    differencesFigure(sweep, comparison),
    curvesFigure(sweep, comparison, 0),
    curvesFigure(sweep, comparison, 0.5),
  ];
}

function comparisonSection(sweep: ReportedSweep, comparison: ReportedComparison): string {
  const { baseline, arms } = comparison;
  if (arms.length === 0) return "";
  return section(
    titled(sweep, comparison, `Against ${baseline}`),
    differencesTable(comparison, sweep.confidence),
    figureGrid(comparisonFigures(sweep, comparison)),
    `<h3>Ranking</h3>`,
    faintLine("A place is a range: arms that their seeds cannot separate share it."),
    rankingTable(comparison),
  );
}

/** All figures of the page, in its order. */
export function sweepFigures(sweep: ReportedSweep): Figure[] {
  const all = [
    armsFigure(sweep),
    tuningFigure(sweep),
    ...sweep.comparisons.flatMap((comparison) => comparisonFigures(sweep, comparison)),
    sweep.scaling?.figure ?? null,
  ];
  return all.filter((figure) => figure !== null);
}

export function sweepPage(sweep: ReportedSweep): string {
  const { name, directory, metric, seeds, notes, runs, scaling } = sweep;
  return htmlPage(`bitnet-report: ${name}`, [
    `<h1>${escapeHtml(name)}</h1>`,
    definitionList([
      ["folder", directory],
      ["metric", `${metric.name}, ${metric.goal}d`],
      ["seeds", seeds.join(", ")],
    ]),
    textLines(notes),
    section("Arms", armsTable(sweep), figureGrid([armsFigure(sweep), tuningFigure(sweep)])),
    ...sweep.comparisons.map((comparison) => comparisonSection(sweep, comparison)),
    scaling === null ? "" : section("Scaling", textLines(scaling.lines), figureGrid([scaling.figure])),
    section("Runs", `<details><summary>${counted(runs.length, "run")}</summary>${runsTable(sweep)}</details>`),
  ]);
}
