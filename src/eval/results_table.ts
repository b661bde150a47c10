/**
 * The table that lm-evaluation-harness prints (`make_table` through pytablewriter): Markdown, numbers to the right with as
 * many decimals as the column needs.
 */
import type { TaskResult } from "./evaluator.ts";

const headers = ["Tasks", "Version", "Filter", "n-shot", "Metric", "", "Value", "", "Stderr"];

/** Rows of cells; a task's name and version stand in its first row only. */
function rows(results: readonly TaskResult[]): string[][] {
  return results.flatMap(({ task, numFewshot, scores }) =>
    [...scores]
      .sort((a, b) => compare(`${a.metric},${a.filter}`, `${b.metric},${b.filter}`))
      .map((score, index) => [
        index === 0 ? task.name : "",
        index === 0 ? String(task.version) : "",
        score.filter,
        String(numFewshot),
        score.metric,
        score.higherIsBetter ? "↑" : "↓",
        score.value.toFixed(4),
        "±",
        score.standardError === null ? "   N/A" : score.standardError.toFixed(4),
      ]),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const isNumber = (cell: string) => /^-?\d+(\.\d+)?$/.test(cell);
const decimals = (cell: string) => /\.(\d*?)0*$/.exec(cell)?.[1].length ?? 0;

interface Column {
  cells: string[];
  /** All cells are numbers (or empty): aligned to the right, with equal decimals. */
  numeric: boolean;
}

function layOut(cells: readonly string[]): Column {
  const filled = cells.filter((cell) => cell !== "");
  const numeric = filled.length > 0 && filled.every(isNumber);
  const places = numeric ? Math.max(...filled.map(decimals)) : 0;
  return {
    numeric,
    cells: cells.map((cell) => {
      if (!isNumber(cell)) return cell;
      // Among words a number keeps the decimals that it needs itself.
      return Number(cell).toFixed(numeric ? places : decimals(cell));
    }),
  };
}

/** The table, without a line break at its end. */
export function resultsTable(results: readonly TaskResult[]): string {
  const table = rows(results);
  const columns = headers.map((header, i) => {
    const { cells, numeric } = layOut(table.map((row) => row[i]));
    const width = Math.max(3, header.length, ...cells.map((cell) => cell.length));
    const space = width - header.length;
    return {
      // Headers are centred, the odd space behind.
      header: " ".repeat(Math.floor(space / 2)) + header + " ".repeat(Math.ceil(space / 2)),
      rule: numeric ? `${"-".repeat(width - 1)}:` : "-".repeat(width),
      cells: cells.map((cell) => (numeric || isNumber(cell) ? cell.padStart(width) : cell.padEnd(width))),
    };
  });
  const line = (cells: readonly string[]) => `|${cells.join("|")}|`;
  return [
    line(columns.map(({ header }) => header)),
    line(columns.map(({ rule }) => rule)),
    ...table.map((_, row) => line(columns.map(({ cells }) => cells[row]))),
  ].join("\n");
}

/**
 * One line for each multiple-choice task: what guessing would score, and whether the model is told apart from it (two
 * standard errors).
 */
export function chanceLines(results: readonly TaskResult[]): string[] {
  return results.flatMap(({ task, chance, scores }) => {
    const accuracy = scores.find(({ metric }) => metric === "acc");
    if (chance === null || !accuracy) return [];
    const margin = 2 * (accuracy.standardError ?? Number.POSITIVE_INFINITY);
    const difference = accuracy.value - chance;
    const verdict =
      Math.abs(difference) <= margin
        ? "no better than guessing, within two standard errors"
        : `${difference > 0 ? "above" : "below"} guessing by more than two standard errors`;
    return [`${task.name}: chance ${chance.toFixed(4)}, acc ${accuracy.value.toFixed(4)}: ${verdict}`];
  });
}
