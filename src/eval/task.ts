/**
 * A task: a task file with its templates parsed, its functions found and its defaults filled in. The defaults are those
 * of lm-evaluation-harness 0.4 (`config/task.py`, `api/registry.py`).
 */

import { nearestName } from "../config/nearest_name.ts";
import { type Aggregation, defaultAggregations, higherIsBetter, namedAggregation } from "./aggregations.ts";
import { compileFilters, type FilterPipeline, takeFirst } from "./answer_filters.ts";
import { compileExactMatch, type ExactMatch } from "./metrics.ts";
import { type FunctionRoles, namedFunction, UnknownFunctionError } from "./named_functions.ts";
import { RegexError } from "./python/regex.ts";
import { type TaskEntry, TaskFileError } from "./task_file.ts";
import { FunctionName, type MetricConfig, type TaskConfig } from "./task_schema.ts";
import { Template, TemplateError } from "./template.ts";

/** Names of the splits; a split that the data set does not have is absent. */
export interface TaskSplits {
  training?: string;
  validation?: string;
  test?: string;
  /** Few-shot examples come from here; if absent, from training, else from validation, else from test. */
  fewshot?: string;
}

export interface GenerationKwargs {
  until: string[];
  max_gen_toks?: number;
  do_sample?: boolean;
  temperature?: number;
  top_k?: number;
  top_p?: number;
}

/** How a field of the prompt is made from a document. */
export type FieldRule =
  | { kind: "constant"; value: unknown }
  /** `source` may also be the name of a field of the document. */
  | { kind: "template"; source: string; template: Template }
  | { kind: "function"; call: FunctionRoles["field"] };

/** Rules of one side of the prompt: the test document, or the examples. */
export interface PromptRules {
  text: FieldRule;
  target: FieldRule;
  choices: FieldRule | null;
  genPrefix: FieldRule | null;
  targetDelimiter: string;
  fewshotDelimiter: string;
}

export interface Metric {
  name: string;
  aggregation: Aggregation;
  higherIsBetter: boolean;
  exactMatch: ExactMatch | null;
  custom: { call: FunctionRoles["metric"]; ks: readonly number[] } | null;
}

export type OutputType = TaskConfig["output_type"];

export interface Task {
  name: string;
  /** In tables. */
  alias: string;
  version: number | string;
  /** What the file follows. */
  source: string;
  file: string;
  tags: readonly string[];
  outputType: OutputType;
  /** Data set on the Hugging Face Hub; null: only local files. */
  dataset: { path: string; config: string | null } | null;
  /** `dataset_kwargs.data_files`: files of each split. */
  dataFiles: Readonly<Record<string, readonly string[]>> | null;
  splits: TaskSplits;
  /** Null: none unless asked for. 0: none even then. */
  numFewshot: number | null;
  description: FieldRule | null;
  prompt: PromptRules;
  fewshot: {
    sampler: "default" | "first_n";
    rules: PromptRules;
    samples: readonly Record<string, unknown>[] | null;
    processDocs: FunctionRoles["process_docs"] | null;
  };
  processDocs: FunctionRoles["process_docs"] | null;
  processResults: FunctionRoles["process_results"] | null;
  metrics: readonly Metric[];
  filters: readonly FilterPipeline[];
  generation: GenerationKwargs | null;
  unsafeCode: boolean;
  config: TaskConfig;
}

/** Metrics that each output type can have without `process_results`. */
const knownMetrics: Record<OutputType, readonly string[]> = {
  multiple_choice: ["acc", "acc_norm", "acc_bytes", "acc_mutual_info", "exact_match"],
  loglikelihood: ["perplexity", "acc"],
  loglikelihood_rolling: ["word_perplexity", "byte_perplexity", "bits_per_byte"],
  generate_until: ["exact_match"],
};

/** Metrics of tasks that name none. */
const defaultMetrics: Record<OutputType, readonly string[]> = {
  multiple_choice: ["acc", "acc_norm"],
  loglikelihood: ["perplexity", "acc"],
  loglikelihood_rolling: ["word_perplexity", "byte_perplexity", "bits_per_byte"],
  generate_until: ["exact_match"],
};

/** @throws {TaskFileError} naming file and line of what cannot be used. */
export function compileTask({ file, config, locate }: TaskEntry): Task {
  const attempt = <T>(key: string, action: () => T): T => {
    try {
      return action();
    } catch (error) {
      if (error instanceof TemplateError || error instanceof UnknownFunctionError || error instanceof RegexError) {
        throw new TaskFileError(`${locate(key)}: ${key}: ${error.message}`);
      }
      throw error;
    }
  };
  const rule = (key: string, value: unknown): FieldRule => attempt(key, () => compileRule(value));
  const optionalRule = (key: string, value: unknown) => (value === undefined ? null : rule(key, value));
  const { fewshot_config: fewshot = {} } = config;
  if (config.output_type === "multiple_choice" && config.doc_to_choice === undefined) {
    throw new TaskFileError(`${locate("output_type")}: multiple_choice needs doc_to_choice`);
  }
  const prompt: PromptRules = {
    text: rule("doc_to_text", config.doc_to_text),
    target: rule("doc_to_target", config.doc_to_target),
    choices: optionalRule("doc_to_choice", config.doc_to_choice),
    genPrefix: optionalRule("gen_prefix", config.gen_prefix),
    targetDelimiter: config.target_delimiter ?? " ",
    fewshotDelimiter: config.fewshot_delimiter ?? "\n\n",
  };
  const shots = (key: keyof typeof fewshot) => optionalRule("fewshot_config", fewshot[key]);
  const process = (key: string, name: FunctionName | undefined) =>
    name === undefined ? null : attempt(key, () => namedFunction("process_docs", name.name));
  const processDocs = process("process_docs", config.process_docs);
  return {
    name: config.task,
    alias: config.task_alias ?? config.task,
    version: config.metadata?.version ?? "Yaml",
    source: config.metadata?.source ?? file,
    file,
    tags: config.tag ?? [],
    outputType: config.output_type,
    dataset: config.dataset_path ? { path: config.dataset_path, config: config.dataset_name ?? null } : null,
    dataFiles: config.dataset_kwargs?.data_files ?? null,
    splits: {
      training: config.training_split ?? undefined,
      validation: config.validation_split ?? undefined,
      test: config.test_split ?? undefined,
      fewshot: fewshot.split ?? config.fewshot_split ?? undefined,
    },
    numFewshot: config.num_fewshot ?? null,
    description: optionalRule("description", config.description),
    prompt,
    fewshot: {
      sampler: fewshot.sampler ?? "default",
      rules: {
        text: shots("doc_to_text") ?? prompt.text,
        target: shots("doc_to_target") ?? prompt.target,
        choices: shots("doc_to_choice") ?? prompt.choices,
        genPrefix: shots("gen_prefix") ?? prompt.genPrefix,
        targetDelimiter: fewshot.target_delimiter ?? prompt.targetDelimiter,
        fewshotDelimiter: fewshot.fewshot_delimiter ?? prompt.fewshotDelimiter,
      },
      samples: fewshot.samples ?? null,
      processDocs: process("fewshot_config", fewshot.process_docs) ?? processDocs,
    },
    processDocs,
    processResults:
      config.process_results === undefined
        ? null
        : attempt("process_results", () => namedFunction("process_results", config.process_results!.name)),
    metrics: (config.metric_list ?? defaultMetrics[config.output_type].map((metric) => ({ metric }))).map((metric) =>
      attempt("metric_list", () => compileMetric(metric, config)),
    ),
    filters: attempt("filter_list", () => config.filter_list?.map(compileFilters)) ?? [takeFirst],
    generation: config.output_type === "generate_until" ? generationDefaults(config, prompt.fewshotDelimiter) : null,
    unsafeCode: config.unsafe_code ?? false,
    config,
  };
}

function compileRule(value: unknown): FieldRule {
  if (value instanceof FunctionName) return { kind: "function", call: namedFunction("field", value.name) };
  if (typeof value === "string") return { kind: "template", source: value, template: new Template(value) };
  if (Array.isArray(value) || typeof value !== "object" || value === null) return { kind: "constant", value };
  return { kind: "constant", value: Object.values(value) };
}

function compileMetric(metric: MetricConfig, config: TaskConfig): Metric {
  const isFunction = metric.metric instanceof FunctionName;
  const name = metric.metric instanceof FunctionName ? metric.metric.name : metric.metric;
  const known = knownMetrics[config.output_type];
  if (!isFunction && config.process_results === undefined && !known.includes(name)) {
    const near = nearestName(name, known);
    throw new UnknownFunctionError(
      `unknown metric "${name}"; the nearest is ${near} (${config.output_type} has ${known.join(", ")})`,
    );
  }
  return {
    name,
    aggregation: namedAggregation(metric.aggregation ?? defaultAggregations[name] ?? "mean"),
    higherIsBetter: metric.higher_is_better ?? higherIsBetter(name),
    exactMatch: !isFunction && name === "exact_match" ? compileExactMatch(metric) : null,
    custom: isFunction ? { call: namedFunction("metric", name), ks: metric.k ?? [1] } : null,
  };
}

function generationDefaults({ generation_kwargs: given }: TaskConfig, fewshotDelimiter: string): GenerationKwargs {
  if (given !== undefined) return { ...given, until: given.until ?? [fewshotDelimiter] };
  return { until: [fewshotDelimiter], max_gen_toks: 256, do_sample: false, temperature: 0 };
}
