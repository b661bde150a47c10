/** What `bitnet-eval` does, by its flags: compare two runs, list tasks, look for overlap, or evaluate. */
import { overlapLines } from "../../src/eval/index.ts";
import { chooseTasks, listTasks } from "./choose_tasks.ts";
import { compareSavedRuns } from "./compare_saved_runs.ts";
import { type EvaluationFlags, evaluateModels } from "./evaluate_models.ts";
import { chooseModels } from "./open_evaluated_model.ts";
import { checkOutputOptions } from "./output_flags.ts";
import type { TextFlags } from "./text_flags.ts";

export async function runEvaluation(
  options: EvaluationFlags & TextFlags & { compare: string[] | undefined },
  signal: AbortSignal,
): Promise<void> {
  if (options.compare !== undefined) return compareSavedRuns(options.compare);
  if (options.text !== undefined) return (await import("./score_files.ts")).scoreFiles(options, signal);
  checkOutputOptions(options);
  if (options.tasks?.join() === "list") return console.log(listTasks(options));
  if (options.check_overlap !== undefined && options.model === undefined) {
    const { checkOverlap } = await import("./overlap_check.ts");
    for (const line of overlapLines(await checkOverlap(chooseTasks(options), options, signal), [])) console.log(line);
    return;
  }
  await evaluateModels(chooseModels(options), chooseTasks(options), options, signal);
}
