/** Tasks of a few lines and the folder of data for them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import { TaskData } from "../../src/eval/data/task_data.ts";
import { type EvaluationOptions, evaluate, type TaskResult } from "../../src/eval/evaluator.ts";
import type { Task } from "../../src/eval/task/task.ts";
import { TaskRegistry } from "../../src/eval/task/task_registry.ts";
import type { LanguageModel } from "../../src/language_model/language_model.ts";

export type Splits = Record<string, readonly object[]>;

/** A folder that goes when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "bitnet-task-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** The task of these lines of YAML, `task: mine` among them unless given. */
export function taskOf(yaml: string): Task {
  const folder = temporaryFolder();
  writeFileSync(path.join(folder, "mine.yaml"), /^task:/m.test(yaml) ? yaml : `task: mine\n${yaml}`);
  return new TaskRegistry([folder]).find("mine");
}

/** Data of one task. */
export function dataOf(task: Task, splits: Splits): TaskData {
  const dataDirectory = temporaryFolder();
  mkdirSync(path.join(dataDirectory, task.name));
  for (const [split, documents] of Object.entries(splits)) {
    const lines = documents.map((document) => JSON.stringify(document)).join("\n");
    writeFileSync(path.join(dataDirectory, task.name, `${split}.jsonl`), `${lines}\n`);
  }
  return new TaskData({ dataDirectory });
}

export async function evaluateTask(
  model: LanguageModel,
  task: Task,
  splits: Splits,
  options: EvaluationOptions = {},
): Promise<TaskResult> {
  const [result] = await evaluate(model, [task], dataOf(task, splits), options);
  return result;
}
