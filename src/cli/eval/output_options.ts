/** Flags of `bitnet-eval` that say what is kept of a run, and the printing and writing itself. */
import { constants } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import path from "node:path";
import type { InferredOptionTypes, Options } from "yargs";
import type { TaskResult } from "../../eval/evaluator.ts";
import type { GroupResult } from "../../eval/group_scores.ts";
import type { LanguageModel } from "../../eval/language_model.ts";
import { outputFolder, writeResultFiles } from "../../eval/result_files.ts";
import { resultsJson } from "../../eval/results.ts";
import { chanceLines, groupsTable, leftOutLines, resultsTable } from "../../eval/results_table.ts";
import { UsageError } from "../command.ts";
import type { ChosenTasks, TaskOptions } from "./task_options.ts";

export const outputOptions = {
  output_path: { type: "string", describe: "Folder for results_*.json (or the name of a .json file)" },
  report: { type: "string", describe: "HTML file with a chart of the scores, chance lines and the table" },
  log_samples: { type: "boolean", default: false, describe: "Write samples_<task>_*.jsonl too" },
} as const satisfies Record<string, Options>;

export type OutputOptions = InferredOptionTypes<typeof outputOptions>;

/** @throws {UsageError} naming the flag. */
export function checkOutputOptions(options: OutputOptions & Partial<TaskOptions>): void {
  if (options.predict_only && options.output_path === undefined) {
    throw new UsageError("--predict_only needs --output_path");
  }
  if (options.log_samples && options.output_path === undefined) {
    throw new UsageError("--log_samples needs --output_path");
  }
}

/** Makes the folders of what will be written: better a wrong path now than after the evaluation. */
export async function prepareOutput({ output_path, report }: OutputOptions): Promise<void> {
  const folders = [output_path && outputFolder(output_path), report && path.dirname(report)];
  for (const folder of folders) {
    if (!folder) continue;
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
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
  for (const line of leftOutLines(results)) console.log(line);
  for (const line of chanceLines(results, groups)) console.log(line);
}

/** Writes what `--output_path` and `--log_samples` ask for. @param startedAt milliseconds since 1970 */
export async function writeResults(
  model: LanguageModel,
  results: readonly TaskResult[],
  groups: readonly GroupResult[],
  { evaluation, seeds }: ChosenTasks,
  options: OutputOptions & TaskOptions & { use_cache?: string },
  startedAt: number,
  contamination?: object,
): Promise<void> {
  if (options.output_path === undefined) return;
  const settings = {
    numFewshot: evaluation.numFewshot ?? null,
    limit: evaluation.limit ?? null,
    genKwargs: evaluation.generation ?? null,
    seeds,
    systemInstruction: evaluation.systemInstruction,
    chatTemplate: evaluation.chatTemplate?.source,
    fewshotAsMultiturn: evaluation.fewshotAsMultiturn,
  };
  const plain = resultsJson(model, results, settings, startedAt, groups);
  const config = { ...(plain.config as object), use_cache: options.use_cache ?? null };
  const json = { ...plain, config, ...(contamination && { contamination }) };
  const logSamples = options.log_samples || options.predict_only;
  const written = await writeResultFiles(options.output_path, model.name, json, results, logSamples);
  for (const file of [written.results, ...written.samples]) console.log(`wrote ${file}`);
}
