/** The documents of lm_eval_check.ts, where both programs find them: `<folder>/<data set>/<configuration>/<split>.jsonl`. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Task } from "../../src/eval/task/task.ts";
import { fixtureDocuments } from "../../test/support/lm_eval/lm_eval_fixtures.ts";

type Document = Record<string, unknown>;

function readLines(file: string): Document[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line));
}

/** Pages of WikiText's text file: a heading of one equals sign begins one. */
function pages(file: string): Document[] {
  const text = readFileSync(file, "utf8");
  return text
    .split(/\n(?= = [^=]+ = \n)/)
    .filter((part) => part.trim() !== "")
    .map((page) => ({ page }));
}

/** HellaSwag's documents that were processed already, in a form that processing leaves as they are. */
function hellaswag(file: string): Document[] {
  return readLines(file).map(({ ind, query, choices, gold }) => {
    const [activity, ...context] = String(query).split(": ");
    return {
      ind,
      activity_label: activity,
      ctx_a: context.join(": "),
      ctx_b: "",
      endings: choices,
      label: String(gold),
    };
  });
}

/** Rows of a CSV file without its header; fields may be quoted. */
function csvRows(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    rows.at(-1)!.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end !== ",") rows.push([]);
  }
  return rows.slice(1).filter((row) => row.length > 1);
}

/** TruthfulQA's questions, with choices of its columns: the right answers first, as in its multiple choice form. */
function truthfulqa(file: string): Document[] {
  const answers = (cell: string) =>
    cell
      .split(";")
      .map((answer) => answer.trim())
      .filter((answer) => answer !== "");
  const targets = (right: string[], wrong: string[]) => ({
    choices: [...right, ...wrong],
    labels: [...right.map(() => 1), ...wrong.map(() => 0)],
  });
  return csvRows(readFileSync(file, "utf8")).map(([, , question, best, right, wrong]) => ({
    question,
    mc1_targets: targets([best.trim()], answers(wrong)),
    mc2_targets: targets(answers(right), answers(wrong)),
  }));
}

/** Documents at hand in `data` (folders named as the tasks), or null. */
function localDocuments(data: string, task: Task, split: string): Document[] | null {
  const file = path.join(data, task.name, `${split}.jsonl`);
  if (existsSync(file)) return readLines(file);
  const shared = path.join(data, "mmlu", `${split}.jsonl`);
  if (task.name.startsWith("mmlu_") && existsSync(shared)) {
    return readLines(shared).filter(({ subject }) => subject === task.dataset!.config);
  }
  const others: Record<string, [string, (file: string) => Document[]]> = {
    "gsm8k_cot test": ["gsm8k/test.jsonl", readLines],
    "hellaswag validation": ["hellaswag/validation-subset1000.jsonl", hellaswag],
    "truthfulqa_mc1 validation": ["truthfulqa/TruthfulQA.csv", truthfulqa],
    "truthfulqa_mc2 validation": ["truthfulqa/TruthfulQA.csv", truthfulqa],
    "humaneval test": ["humaneval/HumanEval.jsonl", readLines],
    "wikitext test": ["wikitext-2/test.txt", pages],
    "wikitext validation": ["wikitext-2/valid.txt", pages],
  };
  const other = others[`${task.name} ${split}`];
  return other && existsSync(path.join(data, other[0])) ? other[1](path.join(data, other[0])) : null;
}

/**
 * Writes every split that `tasks` name; data sets without a file in `data` are generated.
 * @param count documents of a split that is generated
 * @returns the tasks whose scored documents are real ones
 */
export function writeDocuments(
  folder: string,
  tasks: readonly Task[],
  data: string | undefined,
  count: number,
): Set<string> {
  const real = new Set<string>();
  for (const task of tasks) {
    const { training, validation, test, fewshot } = task.splits;
    const scored = test ?? validation;
    const name = task.dataset!.path.split("/").at(-1)!;
    const target = path.join(folder, name, task.dataset!.config ?? "");
    mkdirSync(target, { recursive: true });
    for (const split of new Set([training, validation, test, fewshot].filter((entry) => entry !== undefined))) {
      const local = data === undefined ? null : localDocuments(data, task, split);
      if (local !== null && split === scored) real.add(task.name);
      const file = path.join(target, `${split}.jsonl`);
      if (local === null && existsSync(file)) continue;
      const documents = local ?? fixtureDocuments(task, split, count);
      if (documents === null) throw new Error(`no documents for ${task.name} ${split}`);
      writeFileSync(file, documents.map((document) => `${JSON.stringify(document)}\n`).join(""));
    }
  }
  return real;
}
