/**
 * Several models on the same tasks, side by side: the table of the technical report of BitNet b1.58 2B4T (arXiv
 * 2504.12285, table 1) for any models.
 */

import type { ModelFacts } from "../../language_model/model_facts.ts";
import type { Score } from "../aggregate.ts";
import { arithmeticEnergy, energyTokens } from "../cost/arithmetic_energy.ts";
import type { DecodeSpeed } from "../cost/decode_speed.ts";
import type { TaskResult } from "../evaluator.ts";
import { type GroupResult, summaryEntries } from "../group_scores.ts";
import { textTable } from "./text_table.ts";

export interface EvaluatedModel {
  name: string;
  facts: Pick<ModelFacts, "parameters" | "shape" | "linearBytes">;
  speed: DecodeSpeed | null;
  results: readonly TaskResult[];
  groups: readonly GroupResult[];
  /** Of the whole evaluation. */
  seconds: number;
}

/** The score that stands for a task: acc_norm where there is one, else the first. */
export function mainScore(scores: readonly Score[]): Score | undefined {
  return scores.find(({ metric }) => metric === "acc_norm") ?? scores[0];
}

const missing = "-";

function quantity(value: number | null | undefined, digits: number): string {
  if (value === null || value === undefined) return missing;
  return value >= 1000 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(digits);
}

function size(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return missing;
  return bytes >= 1e8 ? `${quantity(bytes / 1e9, 3)} GB` : `${quantity(bytes / 1e6, 3)} MB`;
}

/** The last part of a path or address, with what goes before it only if two models would be called alike. */
export function shortNames(names: readonly string[]): string[] {
  const parts = names.map((name) => name.split("/").filter((part) => part !== ""));
  for (let count = 1; count < 10; count++) {
    const short = parts.map((part) => part.slice(-count).join("/"));
    if (new Set(short).size === names.length) return short;
  }
  return names.map((name, i) => `${name} (${i + 1})`);
}

const costRows: readonly (readonly [string, (model: EvaluatedModel) => string])[] = [
  ["Parameters", ({ facts: { parameters } }) => parameters?.toLocaleString("en-US") ?? missing],
  ["Weights without embedding", ({ facts }) => size(facts.linearBytes)],
  ["Prompt, tokens/s", ({ speed }) => quantity(speed?.firstToken ? speed.promptTokens / speed.firstToken : null, 3)],
  ["Written, tokens/s", ({ speed }) => quantity(speed?.perToken ? 1 / speed.perToken : null, 3)],
  ["Written, ms/token", ({ speed }) => quantity(speed?.perToken ? speed.perToken * 1000 : null, 3)],
  [
    `Energy of ${energyTokens} tokens, J (estimate)`,
    ({ facts }) => quantity(facts.shape && arithmeticEnergy(facts.shape), 2),
  ],
  ["Evaluation, s", ({ seconds }) => seconds.toFixed(1)],
];

/** Sizes, speeds and energy: a label and one cell for each model in a row; and what to know of them. */
export function costTable(models: readonly EvaluatedModel[]): { rows: string[][]; notes: string[] } {
  return {
    rows: costRows.map(([label, cell]) => [label, ...models.map(cell)]),
    notes: [
      `Energy: the additions and multiplications of the matrix products at 7 nm, as in arXiv 2504.12285; not measured.`,
      `Tokens/s: measured here, one prompt at a time; "${missing}": not known.`,
    ],
  };
}

/** Lines to print: a table with one column for each model; a group stands for its tasks. */
export function modelComparisonLines(models: readonly EvaluatedModel[]): string[] {
  const { rows, notes } = costTable(models);
  const entries = models.map(({ results, groups }) => summaryEntries(results, groups));
  const main = entries.map((ofModel) => ofModel.map(({ scores }) => mainScore(scores)));
  entries[0].forEach(({ name }, i) => {
    const first = main[0][i];
    if (first === undefined) return;
    const label = `${name} (${first.metric}${first.filter === "none" ? "" : `, ${first.filter}`})`;
    rows.push([label, ...main.map((scores) => scoreCell(scores[i]))]);
  });
  const averages = main.map((scores) => average(scores));
  if (averages.every((value) => value !== null)) rows.push(["Average", ...averages.map((value) => value!.toFixed(4))]);
  return [...textTable(["", ...shortNames(models.map(({ name }) => name))], rows), ...notes];
}

function scoreCell(score: Score | undefined): string {
  if (score === undefined) return missing;
  return score.value.toFixed(4) + (score.standardError === null ? "" : ` ± ${score.standardError.toFixed(4)}`);
}

/** Mean of the scores if there are several and all are shares of 1. */
function average(scores: readonly (Score | undefined)[]): number | null {
  const shares = scores.filter((score) => score?.higherIsBetter && score.value <= 1);
  if (scores.length < 2 || shares.length < scores.length) return null;
  return shares.reduce((sum, score) => sum + score!.value, 0) / shares.length;
}
