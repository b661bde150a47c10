/**
 * An evaluation as one HTML file that can be sent alone: how it was asked, the scores as bars and as a table, whether
 * differences are more than chance, what the models cost, and some of their answers. No script, nothing from the network.
 */

import { escapeHtml, htmlTable, pValueText } from "../../report/markup.ts";
import { definitionList, faintLine, htmlPage, legend, section, textLines } from "../../report/page.ts";
import type { Score } from "../aggregate.ts";
import { type ScoredEntry, summaryEntries } from "../group_scores.ts";
import { remarkLines } from "../request/remarks.ts";
import { chanceLines } from "./chance_lines.ts";
import { scoreBars, scoreText } from "./html/bars.ts";
import { sampleAnswers } from "./html/samples.ts";
import { costTable, type EvaluatedModel, shortNames } from "./model_comparison.ts";
import { sampleJson } from "./result_files.ts";
import type { RunSettings } from "./results.ts";
import { leftOutLines, tableRemarks } from "./results_table.ts";
import { compareRuns, verdict } from "./run_comparison.ts";
import type { SavedRun } from "./saved_run.ts";

/** A task or group with what the table says of it. */
interface TableEntry extends ScoredEntry {
  /** A remark stands below the table. */
  starred: boolean;
  shots: string;
  documents: string;
}

/** Groups, then tasks. */
function allEntries({ results, groups }: EvaluatedModel): TableEntry[] {
  return [
    ...groups.map(({ group, scores, chance, documents, numFewshot }) => ({
      name: group.name,
      starred: false,
      scores,
      chance,
      shots: numFewshot === null ? "" : String(numFewshot),
      documents: String(documents),
    })),
    ...results.map(({ task, scores, chance, documents: { original, effective }, numFewshot, remarks }) => ({
      name: task.name,
      starred: remarkLines(task.name, remarks).length > 0,
      scores,
      chance,
      shots: String(numFewshot),
      documents: effective === original ? String(original) : `${effective} of ${original}`,
    })),
  ];
}

function scoresTable(models: readonly EvaluatedModel[], names: readonly string[]): string {
  const entries = models.map(allEntries);
  const rows = entries[0].flatMap(({ name, scores, chance, shots, documents }, i) => {
    const label = `${name}${entries.some((ofModel) => ofModel[i].starred) ? " *" : ""}`;
    return scores.map(({ metric, filter, higherIsBetter }) => {
      const values = entries.map((ofModel) => {
        const same = (other: Score) => other.metric === metric && other.filter === filter;
        const score = ofModel[i].scores.find(same);
        return score === undefined ? "" : scoreText(score);
      });
      const guess = chance !== null && metric.startsWith("acc") ? chance.toFixed(4) : "";
      const what = `${metric}${filter === "none" ? "" : `, ${filter}`} ${higherIsBetter ? "↑" : "↓"}`;
      return [label, what, ...values, guess, shots, documents];
    });
  });
  return htmlTable(["Task", "Metric", ...names, "Guessing", "Shots", "Documents"], rows);
}

/** An evaluation as `--compare` would read it. */
function asSaved({ name, results }: EvaluatedModel): SavedRun {
  const tasks = results.map(({ task, scores, samples }) => ({
    name: task.name,
    scores,
    samples: samples.map((sample) => ({
      key: `${task.name} ${sample.docId}`,
      docHash: String(sampleJson(sample).doc_hash),
      filter: sample.filter,
      metrics: { ...sample.metrics },
    })),
  }));
  return { file: name, modelName: name, tasks };
}

/** Each model against the first. */
function differencesTable(models: readonly EvaluatedModel[], names: readonly string[]): string {
  const [first, ...others] = models.map(asSaved);
  const rows = others.flatMap((other, i) =>
    compareRuns(first, other).map((row) => [
      row.task,
      `${row.metric}${row.filter === "none" ? "" : `, ${row.filter}`}`,
      `${names[i + 1]} against ${names[0]}`,
      `${row.test.difference < 0 ? "−" : "+"}${Math.abs(row.test.difference).toFixed(4)}`,
      pValueText(row.test.pValue),
      row.test.test,
      verdict(row, names[0], names[i + 1]),
    ]),
  );
  return htmlTable(["Task", "Metric", "Models", "Difference", "p", "Test", "At p < 0.05"], rows);
}

function settingsList(settings: RunSettings, models: readonly EvaluatedModel[], date: number): string {
  const { limit, numFewshot, seeds, genKwargs, systemInstruction, chatTemplate } = settings;
  const documents =
    limit === null ? "all" : limit < 1 ? `the first ${100 * limit}% of each task` : `the first ${limit} of each task`;
  const entries: [string, string | null][] = [
    ["date", new Date(date).toISOString().slice(0, 16).replace("T", " ")],
    [models.length > 1 ? "models" : "model", models.map(({ name }) => name).join(", ")],
    ["documents", documents],
    ["shots", numFewshot === null ? "those of each task" : String(numFewshot)],
    ["seeds", `${seeds.fewshot} for examples, ${seeds.torch} for sampled text`],
    ["generation", genKwargs === null ? null : JSON.stringify(genKwargs)],
    ["system message", systemInstruction ?? null],
    ["chat template", chatTemplate ? "applied" : null],
  ];
  return definitionList(entries);
}

/**
 * @param models on the same tasks
 * @param date milliseconds since 1970
 */
export function htmlReport(models: readonly EvaluatedModel[], settings: RunSettings, date: number): string {
  const names = shortNames(models.map(({ name }) => name));
  const several = models.length > 1;
  const bars = scoreBars(models);
  const guessing = models.flatMap(({ results, groups }, i) =>
    chanceLines(results, groups).map((line) => (several ? `${names[i]}: ${line}` : line)),
  );
  const cost = costTable(models);
  const hasChance = summaryEntries(models[0].results, models[0].groups).some(({ chance }) => chance !== null);
  const barNote = `Bars from 0 to 1; the line is one standard error${hasChance ? ", the dashed line what guessing scores" : ""}.`;
  const remarks = models.flatMap(({ results }, i) =>
    tableRemarks(results).map((line) => (several ? line.replace("* ", `* ${names[i]}: `) : line)),
  );
  const heading = names.join(", ");
  return htmlPage(`bitnet-eval: ${heading}`, [
    `<h1>${escapeHtml(heading)}</h1>`,
    settingsList(settings, models, date),
    section(
      "Scores",
      bars === "" ? "" : faintLine(barNote),
      bars === "" || !several ? "" : legend(names),
      bars,
      scoresTable(models, names),
      textLines(remarks),
      textLines(leftOutLines(models[0].results)),
    ),
    section("Against guessing", textLines(guessing)),
    several ? differencesSection(models, names) : "",
    several ? section("Cost", htmlTable(["", ...names], cost.rows), ...cost.notes.map(faintLine)) : "",
    section("Some answers", sampleAnswers(models, names)),
  ]);
}

function differencesSection(models: readonly EvaluatedModel[], names: readonly string[]): string {
  const note = "Paired by document; p is the chance of so large a difference between equal models.";
  return section("Differences", faintLine(note), differencesTable(models, names));
}
