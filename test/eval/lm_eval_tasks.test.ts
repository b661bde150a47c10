/**
 * Every shipped task, and task files that ask for what no shipped one does (option_tasks), against what lm-evaluation-harness asked and scored on generated documents (lm_eval_check.ts
 * --golden): examples, system instruction, chat template, filters, metrics, groups, table. The model hashes its input, so
 * every character of every request counts.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TaskData } from "../../src/eval/data/task_data.ts";
import { evaluate } from "../../src/eval/evaluator.ts";
import { scoreGroups } from "../../src/eval/group_scores.ts";
import { TaskRegistry } from "../../src/eval/task/task_registry.ts";
import { loadTokenizer } from "../../src/tokenizer/load_tokenizer.ts";
import { LmEvalComparison } from "../support/lm_eval/lm_eval_comparison.ts";
import { scriptedAnswers } from "../support/lm_eval/lm_eval_fixtures.ts";
import { chatTemplate, evaluationOptions, type LmEvalGolden, optionTasks } from "../support/lm_eval/lm_eval_golden.ts";
import { hashingModel } from "../support/lm_eval/lm_eval_hashing_model.ts";
import { goldenDirectory, modelDirectory } from "./golden_lm_eval.ts";

const golden: LmEvalGolden = JSON.parse(readFileSync(path.join(goldenDirectory, "tasks.json"), "utf8"));

let dataDirectory: string;
beforeAll(() => {
  dataDirectory = mkdtempSync(path.join(tmpdir(), "bitnet-lm-eval-"));
  for (const [file, lines] of Object.entries(golden.data)) {
    const target = path.join(dataDirectory, file);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, `${lines.join("\n")}\n`);
  }
});
afterAll(() => rmSync(dataDirectory, { recursive: true }));

/** The tests' tokenizer, with the chat template that lm-evaluation-harness was given. */
function tokenizerWithTemplate() {
  const read = (file: string) => readFileSync(path.join(modelDirectory("tiny-bitnet"), file), "utf8");
  const config = { ...JSON.parse(read("tokenizer_config.json")), chat_template: chatTemplate };
  return loadTokenizer(read("tokenizer.json"), JSON.stringify(config));
}

test.each(golden.runs)("$title", async ({ settings, expected }) => {
  const model = hashingModel(tokenizerWithTemplate(), scriptedAnswers);
  const { tasks, groups } = new TaskRegistry([optionTasks]).select(golden.tasks);
  const options = evaluationOptions(settings, golden.limit, model.tokenizer);
  const results = await evaluate(model, tasks, new TaskData({ dataDirectory }), options);
  const comparison = new LmEvalComparison(expected, "hashing");
  for (const result of results) comparison.task(result);
  comparison.groups(scoreGroups(groups, results));
  comparison.table(results, scoreGroups(groups, results));
  expect(comparison.deviations).toEqual([]);
  expect(comparison.summary()).toMatch(/^\d{2,} samples/);
});

test("every task file but our own is among them, mmlu with a subject of each group", () => {
  const own = /^(toy_|probe_|rolling$|mmlu)/;
  const names = new TaskRegistry([optionTasks])
    .list()
    .tasks.map(({ task }) => task)
    .filter((name) => !own.test(name));
  expect(golden.tasks).toEqual(expect.arrayContaining(names));
  expect(golden.tasks.filter((name) => name.startsWith("mmlu"))).toHaveLength(4);
});
