/**
 * The table that lm-evaluation-harness prints (`make_table` through pytablewriter): Markdown, numbers to the right with as
 * many decimals as the column needs.
 */

import { largest } from "../../arrays/large_arrays.ts";
import type { Score } from "../aggregate.ts";
import type { TaskResult } from "../evaluator.ts";
import type { GroupResult } from "../group_scores.ts";
import { remarkLines } from "../request/remarks.ts";

const headers = ["Version", "Filter", "n-shot", "Metric", "", "Value", "", "Stderr"];

/** A task or group as the table shows it. */
interface Entry {
  alias: string;
  version: string;
  shots: string;
  scores: readonly Score[];
  /** Show which way is better. */
  directed: boolean;
}

function rows(entries: readonly Entry[]): string[][] {
  return entries.flatMap(({ alias, version, shots, scores, directed }) =>
    [...scores]
      .sort((a, b) => compare(`${a.metric},${a.filter}`, `${b.metric},${b.filter}`))
      .map((score, index) => [
        index === 0 ? alias : "",
        index === 0 ? version : "",
        score.filter,
        shots,
        score.metric,
        !directed ? "" : score.higherIsBetter ? "↑" : "↓",
        score.value.toFixed(4),
        "±",
        score.standardError === null ? "   N/A" : score.standardError.toFixed(4),
      ]),
  );
}

/** Groups with their parts below them, then the other tasks; each level by name. */
function inOrder(results: readonly TaskResult[], groups: readonly GroupResult[]): Entry[] {
  const tasks = new Map(results.map((result) => [result.task.name, result]));
  const groupsByName = new Map(groups.map((result) => [result.group.name, result]));
  const children = new Set(groups.flatMap(({ group }) => group.children));
  const shown: Entry[] = [];
  const visit = (name: string, depth: number) => {
    const indent = depth > 0 ? `${" ".repeat(depth)}- ` : "";
    const group = groupsByName.get(name);
    const task = tasks.get(name);
    if (group) {
      const { alias, version, children } = group.group;
      // Without a score of its own a group has no row.
      const shots = group.numFewshot === null ? "" : String(group.numFewshot);
      shown.push({ alias: indent + alias, version, shots, scores: group.scores, directed: group.hasTasks });
      for (const child of [...children].sort(compare)) visit(child, depth + 1);
    } else if (task) shown.push(taskEntry(task, indent));
  };
  for (const name of [...groupsByName.keys()].sort(compare)) if (!children.has(name)) visit(name, 0);
  const others = results.filter(({ task }) => !children.has(task.name));
  return [...shown, ...others.sort((a, b) => compare(a.task.name, b.task.name)).map((result) => taskEntry(result, ""))];
}

function taskEntry({ task, numFewshot, scores, remarks }: TaskResult, indent: string): Entry {
  return {
    alias: `${indent}${task.alias}${remarkLines(task.name, remarks).length > 0 ? " *" : ""}`,
    version: String(task.version),
    shots: String(numFewshot),
    scores,
    directed: true,
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const isNumber = (cell: string) => /^-?\d+(\.\d+)?$/.test(cell);
const decimals = (cell: string) => /\.(\d*?)0*$/.exec(cell)?.[1].length ?? 0;

interface Column {
  cells: string[];
  /** Where its numbers stand; words stand to the left. */
  alignsRight: boolean;
  /** All cells are numbers (or empty): aligned to the right, with equal decimals. */
  numeric: boolean;
}

function layOut(cells: readonly string[]): Column {
  const filled = cells.filter((cell) => cell !== "");
  const numeric = filled.length > 0 && filled.every(isNumber);
  // A column that begins with a word is one of words: its numbers stay as they are.
  if (filled.length > 0 && !isNumber(filled[0])) return { cells: [...cells], alignsRight: false, numeric };
  const places = largest(filled.filter(isNumber).map(decimals), 0);
  return {
    numeric,
    alignsRight: true,
    cells: cells.map((cell) => {
      if (!isNumber(cell)) return cell;
      // Among words, whole numbers are written without decimals.
      const isWhole = Number.isInteger(Number(cell));
      return Number(cell).toFixed(numeric || !isWhole ? places : 0);
    }),
  };
}

/** The table, without a line break at its end. */
export function resultsTable(results: readonly TaskResult[], groups: readonly GroupResult[] = []): string {
  return layOutTable("Tasks", inOrder(results, groups));
}

/** The scores of the groups alone; empty if there is none. */
export function groupsTable(groups: readonly GroupResult[]): string {
  const scored = groups.filter(({ scores }) => scores.length > 0);
  return scored.length === 0 ? "" : layOutTable("Groups", inOrder([], scored));
}

function layOutTable(what: string, entries: readonly Entry[]): string {
  const table = rows(entries);
  const columns = [what, ...headers].map((header, i) => {
    const { cells, alignsRight, numeric } = layOut(table.map((row) => row[i]));
    const width = largest(
      [header, ...cells].map((cell) => cell.length),
      3,
    );
    const space = width - header.length;
    return {
      // Headers are centred, the odd space behind.
      header: " ".repeat(Math.floor(space / 2)) + header + " ".repeat(Math.ceil(space / 2)),
      rule: numeric ? `${"-".repeat(width - 1)}:` : "-".repeat(width),
      cells: cells.map((cell) =>
        numeric || (alignsRight && isNumber(cell)) ? cell.padStart(width) : cell.padEnd(width),
      ),
    };
  });
  const line = (cells: readonly string[]) => `|${cells.join("|")}|`;
  return [
    line(columns.map(({ header }) => header)),
    line(columns.map(({ rule }) => rule)),
    ...table.map((_, row) => line(columns.map(({ cells }) => cells[row]))),
  ].join("\n");
}

/** What is to be said of the tasks that have a * in the table. */
export function tableRemarks(results: readonly TaskResult[]): string[] {
  return results.flatMap(({ task, remarks }) => remarkLines(task.name, remarks).map((line) => `* ${line}`));
}

/** One line for each task that cannot judge some of its documents. */
export function leftOutLines(results: readonly TaskResult[]): string[] {
  return results.flatMap(({ task, documents: { original, leftOut } }) =>
    leftOut === 0
      ? []
      : [`${task.name}: ${leftOut} of ${original + leftOut} documents are left out (see its task file)`],
  );
}
