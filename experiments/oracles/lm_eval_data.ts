/** The documents of lm_eval_check.ts, where both programs find them: `<folder>/<data set>/<configuration>/<split>.jsonl`. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Task } from "../../src/eval/task/task.ts";
import { fixtureDocuments } from "./lm_eval_fixtures.ts";

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

/** Documents at hand in `data` (folders named as the tasks), or null. */
function localDocuments(data: string, task: Task, split: string): Document[] | null {
  const file = path.join(data, task.name, `${split}.jsonl`);
  // HellaSwag's documents there are processed already.
  if (existsSync(file) && task.name !== "hellaswag") return readLines(file);
  const shared = path.join(data, "mmlu", `${split}.jsonl`);
  if (task.name.startsWith("mmlu_") && existsSync(shared)) {
    return readLines(shared).filter(({ subject }) => subject === task.dataset!.config);
  }
  const others: Record<string, [string, (file: string) => Document[]]> = {
    "gsm8k_cot test": ["gsm8k/test.jsonl", readLines],
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
