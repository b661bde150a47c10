/** Prints and writes what the flags of output_flags.ts ask for. */

import path from "node:path";
import {
  chanceLines,
  type GroupResult,
  groupsTable,
  leftOutLines,
  outputFolder,
  type RunSettings,
  resultsJson,
  resultsTable,
  type TaskResult,
  tableRemarks,
  writeResultFiles,
} from "../../src/eval/index.ts";
import { checkWritableDirectory, makeDirectory } from "../../src/files/make_directory.ts";
import type { LanguageModel } from "../../src/language_model/language_model.ts";
import { say } from "../terminal/say.ts";
import type { ChosenTasks } from "./choose_tasks.ts";
import type { OutputOptions } from "./output_flags.ts";
import type { TaskOptions } from "./task_flags.ts";

/** Makes the folders of what will be written: better a wrong path now than after the evaluation. */
export async function prepareOutput({ output_path, report }: OutputOptions): Promise<void> {
  const folders = [output_path && outputFolder(output_path), report && path.dirname(report)];
  for (const folder of folders) {
    if (!folder) continue;
    makeDirectory(folder);
    checkWritableDirectory(folder);
  }
}

/** lm-evaluation-harness's table, and where each score stands beside guessing. */
export function printResults(
  model: LanguageModel,
  results: readonly TaskResult[],
  groups: readonly GroupResult[],
  options: TaskOptions,
): void {
  console.log(
    `bitnet-lab (${model.name}), gen_kwargs: (${options.gen_kwargs ?? "None"}), limit: ${options.limit ?? "None"}, ` +
      `num_fewshot: ${options.num_fewshot ?? "None"}`,
  );
  console.log(resultsTable(results, groups));
  const ofGroups = groupsTable(groups);
  if (ofGroups !== "") console.log(`\n${ofGroups}`);
  for (const line of tableRemarks(results)) say(line);
  for (const line of leftOutLines(results)) say(line);
  for (const line of chanceLines(results, groups)) say(line);
}

/** What results file and report repeat of the command line. */
export function runSettings({ evaluation, seeds }: ChosenTasks): RunSettings {
  return {
    numFewshot: evaluation.numFewshot ?? null,
    limit: evaluation.limit ?? null,
    genKwargs: evaluation.generation ?? null,
    seeds,
    systemInstruction: evaluation.systemInstruction,
    chatTemplate: evaluation.chatTemplate?.source,
    fewshotAsMultiturn: evaluation.fewshotAsMultiturn,
  };
}

/** Writes what `--output_path` and `--log_samples` ask for. @param startedAt milliseconds since 1970 */
export async function writeResults(
  model: LanguageModel,
  results: readonly TaskResult[],
  groups: readonly GroupResult[],
  chosen: ChosenTasks,
  options: OutputOptions & TaskOptions & { use_cache?: string },
  startedAt: number,
  contamination?: object,
): Promise<void> {
  if (options.output_path === undefined) return;
  const plain = resultsJson(model, results, runSettings(chosen), startedAt, groups);
  const config = { ...(plain.config as object), use_cache: options.use_cache ?? null };
  const json = { ...plain, config, ...(contamination && { contamination }) };
  const logSamples = options.log_samples || options.predict_only;
  const written = await writeResultFiles(options.output_path, model.name, json, results, logSamples);
  for (const file of [written.results, ...written.samples]) console.log(`wrote ${file}`);
}
