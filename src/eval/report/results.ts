/** The results file of lm-evaluation-harness 0.4 (`results_*.json`): same keys, same shapes. */
import { createHash } from "node:crypto";
import { cpus } from "node:os";
import type { LanguageModel } from "../../language_model/language_model.ts";
import { reportedFacts } from "../../language_model/model_facts.ts";
import { defaultResamples, type Score } from "../aggregate.ts";
import type { TaskResult } from "../evaluator.ts";
import type { GroupResult } from "../group_scores.ts";
import type { TaskRemarks } from "../request/remarks.ts";
import { taskGuessingTest } from "./chance_lines.ts";
import { taskConfigJson } from "./task_config_json.ts";

/** The seeds of a run, in lm-evaluation-harness's order. */
export interface Seeds {
  random: number;
  numpy: number;
  /** Of sampled generation. */
  torch: number;
  /** Of the examples in the prompts. */
  fewshot: number;
}

/** What the results file repeats of the command line. */
export interface RunSettings {
  numFewshot: number | null;
  limit: number | null;
  genKwargs: Record<string, unknown> | null;
  seeds: Seeds;
  systemInstruction?: string | null;
  /** Source of the chat template that was applied. */
  chatTemplate?: string | null;
  fewshotAsMultiturn?: boolean | null;
}

export type ResultsJson = Record<string, unknown>;

/** One entry for each task. */
function perTask<T>(results: readonly TaskResult[], value: (result: TaskResult) => T): Record<string, T> {
  return Object.fromEntries(results.map((result) => [result.task.name, value(result)]));
}

function scoreEntries(scores: readonly Score[]): Record<string, unknown> {
  const json: Record<string, unknown> = {};
  for (const { metric, filter, value, standardError } of scores) {
    json[`${metric},${filter}`] = value;
    json[`${metric}_stderr,${filter}`] = standardError ?? "N/A";
  }
  return json;
}

function scoresJson({ task, documents, scores }: TaskResult): Record<string, unknown> {
  return { name: task.name, alias: task.alias, sample_len: documents.effective, ...scoreEntries(scores) };
}

/** Entries of groups, in the places where lm-evaluation-harness has them. */
function groupEntries(groups: readonly GroupResult[]) {
  const perGroup = <T>(value: (result: GroupResult) => T, chosen = groups): Record<string, T> =>
    Object.fromEntries(chosen.map((result) => [result.group.name, value(result)]));
  const results = perGroup(({ group, scores, documents }) => ({
    alias: group.alias,
    name: group.name,
    ...(scores.length > 0 && { sample_len: documents }),
    ...scoreEntries(scores),
    ...(scores.length > 0 && {
      sample_count: Object.fromEntries(scores.map(({ metric, filter }) => [`${metric},${filter}`, documents])),
    }),
  }));
  const shots = groups.filter(({ numFewshot }) => numFewshot !== null);
  return {
    results,
    scored: Object.fromEntries(
      groups.filter(({ scores }) => scores.length > 0).map(({ group }) => [group.name, results[group.name]]),
    ),
    subtasks: perGroup(({ group }) => group.children),
    versions: perGroup(({ group }) => group.version),
    shots: perGroup(({ numFewshot }) => numFewshot, shots),
    directions: perGroup(
      ({ higherIsBetter }) => higherIsBetter,
      groups.filter(({ hasTasks }) => hasTasks),
    ),
  };
}

function directions(scores: readonly Score[]): Record<string, boolean> {
  return Object.fromEntries(scores.map(({ metric, higherIsBetter }) => [metric, higherIsBetter]));
}

function chanceTestJson(result: TaskResult): Record<string, unknown> | null {
  const tested = taskGuessingTest(result);
  if (tested === null) return null;
  return { metric: tested.metric, p_value: tested.pValue, test: tested.test };
}

function truncationJson({ truncation }: TaskRemarks): Record<string, unknown> | null {
  if (truncation === null) return null;
  const { requests, total, documents, maxLength, largest, examples } = truncation;
  return {
    requests,
    of_requests: total,
    documents,
    max_length: maxLength,
    largest: { context: largest.context, continuation: largest.continuation, tokens_cut: largest.tokens },
    documents_that_lost_examples: examples.documents,
    examples_lost: examples.most,
  };
}

function problemsJson({ problems }: TaskRemarks): Record<string, unknown>[] {
  return problems.map(({ kind, of, count, first }) => ({ kind, of, count, first: `${first.place}: ${first.message}` }));
}

function hash(text: string | null | undefined): string | null {
  return text ? createHash("sha256").update(text).digest("hex") : null;
}

/** A special token's text and id, as lm-evaluation-harness lists them. */
function specialToken(model: LanguageModel, id: number | null): [string | null, string] {
  return id === null ? [null, "None"] : [model.tokenizer.decode([id], { skipSpecialTokens: false }), String(id)];
}

/** Entries of `config` and of the file itself that have no meaning here, under the names that readers may look for. */
const unusedSettings = {
  model_revision: "main",
  model_sha: "",
  batch_size: null,
  batch_sizes: [],
  device: "cpu",
  use_cache: null,
};
const unusedEntries = { git_hash: null, upper_git_hash: null, transformers_version: "N/A" };

/** @param startedAt when the run began, milliseconds since 1970 */
export function resultsJson(
  model: LanguageModel,
  results: readonly TaskResult[],
  settings: RunSettings,
  startedAt: number,
  groupResults: readonly GroupResult[] = [],
): ResultsJson {
  const { tokenizer } = model;
  const groups = groupEntries(groupResults);
  const eosToken = specialToken(model, tokenizer.eosTokenId);
  return {
    results: { ...perTask(results, scoresJson), ...groups.results },
    ...(Object.keys(groups.scored).length > 0 && { groups: groups.scored }),
    group_subtasks: groups.subtasks,
    configs: perTask(results, taskConfigJson),
    versions: { ...perTask(results, ({ task }) => task.version), ...groups.versions },
    "n-shot": { ...perTask(results, ({ numFewshot }) => numFewshot), ...groups.shots },
    higher_is_better: { ...perTask(results, ({ scores }) => directions(scores)), ...groups.directions },
    "n-samples": perTask(results, ({ documents: { original, effective } }) => ({ original, effective })),
    config: {
      model: "bitnet-lab",
      model_args: { pretrained: model.name },
      model_num_parameters: model.facts.parameters,
      model_dtype: "float32",
      limit: settings.limit,
      gen_kwargs: settings.genKwargs,
      num_fewshot: settings.numFewshot,
      random_seed: settings.seeds.random,
      numpy_seed: settings.seeds.numpy,
      torch_seed: settings.seeds.torch,
      fewshot_seed: settings.seeds.fewshot,
      bootstrap_iters: defaultResamples,
      ...unusedSettings,
    },
    // Ours: the accuracy of guessing, what is known of model and machine.
    chance: perTask(results, ({ chance }) => chance),
    // Ours: whether the accuracy can be told from it.
    chance_test: perTask(results, (result) => chanceTestJson(result)),
    model_info: reportedFacts(model.facts),
    // Ours: documents of the split that the task cannot judge.
    left_out: perTask(results, ({ documents }) => documents.leftOut),
    // Ours: requests that were cut to fit, documents and examples with something wrong.
    truncated: perTask(results, ({ remarks }) => truncationJson(remarks)),
    problems: perTask(results, ({ remarks }) => problemsJson(remarks)),
    model_source: "bitnet-lab",
    model_name: model.name,
    model_name_sanitized: fileName(model.name),
    system_instruction: settings.systemInstruction ?? null,
    system_instruction_sha: hash(settings.systemInstruction),
    fewshot_as_multiturn: settings.fewshotAsMultiturn ?? null,
    chat_template: settings.chatTemplate ?? null,
    chat_template_sha: hash(settings.chatTemplate),
    date: startedAt / 1000,
    total_evaluation_time_seconds: String((Date.now() - startedAt) / 1000),
    pretty_env_info: `Node ${process.version}, ${process.platform} ${process.arch}, ${cpus()[0]?.model ?? "unknown CPU"}`,
    lm_eval_version: "0.4.13",
    tokenizer_pad_token: eosToken,
    tokenizer_eos_token: eosToken,
    tokenizer_bos_token: specialToken(model, tokenizer.bosTokenId),
    eot_token_id: tokenizer.eosTokenId,
    max_length: model.maxLength,
    ...unusedEntries,
  };
}

/**
 * A model's name as a folder, much as lm-evaluation-harness writes it: characters that file systems refuse, and blanks,
 * are replaced. What leads to the model (`../`) is left out, so the folder is not hidden.
 */
export function fileName(modelName: string): string {
  const name = modelName.replace(/["<>:/|\\?*[\]\s\p{Cc}]+/gu, "__").replace(/^(\.*__)+|^\.+|[._]+$/g, "");
  return name === "" ? "model" : name;
}
