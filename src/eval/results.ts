/** The results file of lm-evaluation-harness 0.4 (`results_*.json`): same keys, same shapes. */
import { cpus } from "node:os";
import type { TaskResult } from "./evaluator.ts";
import { defaultFewshotSeed } from "./few_shot.ts";
import type { LanguageModel } from "./language_model.ts";
import type { Task } from "./task.ts";

/** What the results file repeats of the command line. */
export interface RunSettings {
  numFewshot: number | null;
  limit: number | null;
  genKwargs: Record<string, unknown> | null;
  seed: number;
}

export type ResultsJson = Record<string, unknown>;

/** One entry for each task. */
function perTask<T>(results: readonly TaskResult[], value: (result: TaskResult) => T): Record<string, T> {
  return Object.fromEntries(results.map((result) => [result.task.name, value(result)]));
}

function scoresJson({ task, documents, scores }: TaskResult): Record<string, unknown> {
  const json: Record<string, unknown> = { name: task.name, alias: task.name, sample_len: documents.effective };
  for (const { metric, filter, value, standardError } of scores) {
    json[`${metric},${filter}`] = value;
    json[`${metric}_stderr,${filter}`] = standardError ?? "N/A";
  }
  return json;
}

function metricList(task: Task): object[] {
  switch (task.outputType) {
    case "multiple_choice":
      return ["acc", "acc_norm"].map((metric) => ({ metric, aggregation: "mean", higher_is_better: true }));
    case "generate_until":
      return [
        {
          metric: "exact_match",
          aggregation: "mean",
          higher_is_better: true,
          ignore_case: true,
          ignore_punctuation: false,
          regexes_to_ignore: task.ignored.map(({ source }) => source),
        },
      ];
    case "loglikelihood_rolling":
      return ["word_perplexity", "byte_perplexity", "bits_per_byte"].map((metric) => ({ metric }));
  }
}

function configJson({ task, numFewshot, generation }: TaskResult): Record<string, unknown> {
  const { training, validation, test, fewshot } = task.splits;
  return {
    task: task.name,
    dataset_path: task.dataset?.path ?? null,
    ...(task.dataset?.config && { dataset_name: task.dataset.config }),
    ...(training && { training_split: training }),
    ...(validation && { validation_split: validation }),
    ...(test && { test_split: test }),
    ...(fewshot && { fewshot_split: fewshot }),
    ...task.prompt,
    unsafe_code: false,
    description: "",
    target_delimiter: " ",
    fewshot_delimiter: "\n\n",
    fewshot_config: {
      sampler: "default",
      split: fewshot ?? null,
      process_docs: null,
      fewshot_indices: null,
      samples: null,
      doc_to_text: task.prompt.doc_to_text,
      doc_to_choice: task.prompt.doc_to_choice ?? null,
      doc_to_target: task.prompt.doc_to_target,
      gen_prefix: null,
      fewshot_delimiter: "\n\n",
      target_delimiter: " ",
    },
    num_fewshot: numFewshot,
    metric_list: metricList(task),
    output_type: task.outputType,
    ...(generation && { generation_kwargs: generation }),
    ...(task.outputType === "generate_until" && {
      filter_list: task.filters.map(({ name, pattern, select }) => ({
        name,
        filter: [
          { function: "regex", regex_pattern: pattern.source, group_select: select === "first" ? 0 : -1 },
          { function: "take_first" },
        ],
      })),
    }),
    repeats: 1,
    should_decontaminate: false,
    metadata: { version: task.version, config_source: task.source },
  };
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
  bootstrap_iters: 0,
};
const unusedEntries = { group_subtasks: {}, git_hash: null, upper_git_hash: null, transformers_version: "N/A" };

/** @param startedAt when the run began, milliseconds since 1970 */
export function resultsJson(
  model: LanguageModel,
  results: readonly TaskResult[],
  settings: RunSettings,
  startedAt: number,
): ResultsJson {
  const { tokenizer } = model;
  const eosToken = specialToken(model, tokenizer.eosTokenId);
  return {
    results: perTask(results, scoresJson),
    configs: perTask(results, configJson),
    versions: perTask(results, ({ task }) => task.version),
    "n-shot": perTask(results, ({ numFewshot }) => numFewshot),
    higher_is_better: perTask(results, ({ scores }) =>
      Object.fromEntries(scores.map(({ metric, higherIsBetter }) => [metric, higherIsBetter])),
    ),
    "n-samples": perTask(results, ({ documents }) => documents),
    config: {
      model: "bitnet-lab",
      model_args: { pretrained: model.name },
      model_num_parameters: model.info.parameters ?? null,
      model_dtype: "float32",
      limit: settings.limit,
      gen_kwargs: settings.genKwargs,
      num_fewshot: settings.numFewshot,
      random_seed: settings.seed,
      numpy_seed: settings.seed,
      torch_seed: settings.seed,
      fewshot_seed: defaultFewshotSeed,
      ...unusedSettings,
    },
    // Ours: the accuracy of guessing, and what is known of model and machine.
    chance: perTask(results, ({ chance }) => chance),
    model_info: model.info,
    model_source: "bitnet-lab",
    model_name: model.name,
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
