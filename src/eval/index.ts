/**
 * `import ... from "bitnet-lab/evaluation"`: tasks, prompts and scores of lm-evaluation-harness on any `LanguageModel`,
 * and what is made of the results. Whether code that a model writes may run, and what is shown meanwhile, is the
 * caller's to say (`EvaluationOptions`).
 */

export type {
  CallOptions,
  GeneratedPiece,
  GenerateRequest,
  LanguageModel,
  LoglikelihoodRequest,
  LoglikelihoodResult,
} from "../language_model/language_model.ts";
export type { ModelFacts } from "../language_model/model_facts.ts";
export {
  type CorpusPart,
  findOverlap,
  type Overlap,
  overlapJson,
  overlapLines,
  type TestDocuments,
} from "./contamination/overlap.ts";
export {
  type ArithmeticOperations,
  arithmeticEnergy,
  arithmeticOperations,
  energyTokens,
} from "./cost/arithmetic_energy.ts";
export { type DecodeSpeed, measureDecodeSpeed } from "./cost/decode_speed.ts";
export { accountForFile, type FileAccount, type TypeAccount } from "./cost/file_account.ts";
export { fetchHubSplit } from "./data/hub_split.ts";
export { type FetchSplit, TaskData, type TaskDataOptions } from "./data/task_data.ts";
export {
  documentLimit,
  type EvaluationOptions,
  evaluate,
  readTaskData,
  StrictError,
  type TaskResult,
  UnsafeCodeError,
} from "./evaluator.ts";
export { type GroupResult, scoreGroups } from "./group_scores.ts";
export { AnswerCache } from "./models/answer_cache.ts";
export { CachedLanguageModel } from "./models/cached_language_model.ts";
export { ChatPrompt } from "./prompt/chat_prompt.ts";
export { chanceLines, type GuessingTest, taskGuessingTest } from "./report/chance_lines.ts";
export { htmlReport } from "./report/html_report.ts";
export { type EvaluatedModel, modelComparisonLines } from "./report/model_comparison.ts";
export { outputFolder, type WrittenFiles, writeResultFiles } from "./report/result_files.ts";
export { type ResultsJson, type RunSettings, resultsJson, type Seeds } from "./report/results.ts";
export { groupsTable, leftOutLines, resultsTable, tableRemarks } from "./report/results_table.ts";
export { compareRuns, comparisonLines, type ScoreComparison } from "./report/run_comparison.ts";
export { readSavedRun, type SavedRun } from "./report/saved_run.ts";
export type { TaskRemarks } from "./request/remarks.ts";
export type { Sample } from "./request/sample.ts";
export type { GenerationKwargs, Task } from "./task/task.ts";
export {
  findTask,
  shippedTasks,
  type TaskGroup,
  TaskRegistry,
  type TaskSelection,
  UnknownTaskError,
} from "./task/task_registry.ts";
export {
  addTextScores,
  scoreTexts,
  type TextMetrics,
  type TextOptions,
  type TextScore,
  textMetrics,
  textWindows,
} from "./text_score.ts";
