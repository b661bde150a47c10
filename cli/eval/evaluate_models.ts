/** Runs the chosen tasks on the chosen models, one after the other, and prints and writes what the flags ask for. */

import { existsSync } from "node:fs";
import { UserError } from "../../src/errors/user_error.ts";
import {
  type DecodeSpeed,
  type EvaluatedModel,
  evaluate,
  htmlReport,
  measureDecodeSpeed,
  modelComparisonLines,
  type Overlap,
  overlapJson,
  overlapLines,
  readTaskData,
  scoreGroups,
} from "../../src/eval/index.ts";
import { writeWholeFile } from "../../src/files/whole_file.ts";
import type { LanguageModel } from "../../src/language_model/language_model.ts";
import { errorLine, errorReport, isForPeople } from "../error_report.ts";
import { Progress } from "../progress.ts";
import { type ChosenTasks, chosenChatTemplate } from "./choose_tasks.ts";
import type { ModelOptions } from "./model_flags.ts";
import { type ModelSource, openEvaluatedModel } from "./open_evaluated_model.ts";
import type { OutputOptions } from "./output_flags.ts";
import type { OverlapOptions } from "./overlap_flags.ts";
import { isServer } from "./server_model.ts";
import type { TaskOptions } from "./task_flags.ts";
import { prepareOutput, printResults, runSettings, writeResults } from "./write_output.ts";

export type EvaluationFlags = ModelOptions & TaskOptions & OutputOptions & OverlapOptions;

/** The models are compared: speed is measured, and the table of all is printed last. */
export async function evaluateModels(
  sources: readonly ModelSource[],
  chosen: ChosenTasks,
  options: EvaluationFlags,
  signal: AbortSignal,
): Promise<void> {
  await prepareOutput(options);
  // A model that is not there is found at once when it is opened.
  const isThere = sources.some(({ source }) => isServer(source) || existsSync(source));
  if (isThere) await readTaskData(chosen.tasks, chosen.data, chosen.evaluation);
  // Its library of columns is loaded only for this.
  const overlap =
    options.check_overlap && (await (await import("./overlap_check.ts")).checkOverlap(chosen, options, signal));
  const evaluated: EvaluatedModel[] = [];
  const failures: string[] = [];
  for (const source of sources) {
    try {
      evaluated.push(await evaluateModel(source, chosen, overlap, options, sources.length > 1, signal));
    } catch (error) {
      // The other models are evaluated all the same; an interrupt ends everything.
      if (sources.length === 1 || signal.aborted) throw error;
      failures.push(`${source.source}: ${errorLine(error)}`);
      console.error(`bitnet-eval: ${source.source}: ${errorReport(error)}`);
    }
  }
  if (evaluated.length > 1) for (const line of modelComparisonLines(evaluated)) console.log(line);
  if (options.report !== undefined && evaluated.length > 0) {
    await writeWholeFile(options.report, htmlReport(evaluated, runSettings(chosen), Date.now()));
    console.log(`wrote ${options.report}`);
  }
  if (failures.length > 0)
    throw new UserError(`${failures.length} of ${sources.length} models failed: ${failures.join("; ")}`);
}

async function evaluateModel(
  source: ModelSource,
  chosen: ChosenTasks,
  overlap: Overlap | undefined,
  options: EvaluationFlags,
  measured: boolean,
  signal: AbortSignal,
): Promise<EvaluatedModel> {
  const startedAt = Date.now();
  const model = await openEvaluatedModel(source, options, signal);
  const progress = new Progress();
  try {
    const chatTemplate = chosenChatTemplate(options, model.tokenizer);
    const asked = { ...chosen, evaluation: { ...chosen.evaluation, chatTemplate } };
    const results = await evaluate(model, asked.tasks, asked.data, {
      ...asked.evaluation,
      signal,
      onProgress: (done, total) => progress.update("requests", done, total, [`${done} of ${total}`]),
    });
    progress.close();
    const groups = scoreGroups(chosen.groups, results);
    printResults(model, results, groups, options);
    if (overlap) for (const line of overlapLines(overlap, results)) console.log(line);
    const contamination = overlap && overlapJson(overlap, options.check_overlap ?? [], results);
    await writeResults(model, results, groups, asked, options, startedAt, contamination);
    const seconds = (Date.now() - startedAt) / 1000;
    return {
      name: model.name,
      facts: model.facts,
      speed: measured ? await speedOf(model, results[0].samples[0]?.arguments[0]?.[0], signal) : null,
      results,
      groups,
      seconds,
    };
  } finally {
    progress.close();
    model.dispose();
  }
}

/** Null if the model cannot be timed: a comparison of scores does not fail for it. */
async function speedOf(model: LanguageModel, prompt: unknown, signal: AbortSignal): Promise<DecodeSpeed | null> {
  const text = typeof prompt === "string" && prompt !== "" ? prompt : "Once upon a time there was a";
  try {
    return await measureDecodeSpeed(model, text, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!isForPeople(error)) throw error;
    console.error(`${model.name}: speed not measured: ${errorLine(error)}`);
    return null;
  }
}
