/**
 * A task: a task file with its templates parsed, its functions found and its defaults filled in. The defaults are those
 * of lm-evaluation-harness 0.4 (`config/task.py`, `api/registry.py`).
 */
import { nearestHint } from "../../errors/nearest_name.ts";
import { RegexError } from "../../python/regex.ts";
import { type FunctionRoles, namedFunction } from "../functions/named_functions.ts";
import { TaskRuleError } from "../schema/task_rule_error.ts";
import { FunctionName, type MetricConfig, type OutputType, type TaskConfig } from "../schema/task_schema.ts";
import { type Aggregation, namedAggregation } from "../score/aggregations.ts";
import { compileFilters, type FilterPipeline, takeFirst } from "../score/answer_filters.ts";
import { defaultMetrics, metricDefinition, metricDefinitions } from "../score/metric_registry.ts";
import { compileExactMatch, type ExactMatch } from "../score/metrics.ts";
import { type TaskEntry, TaskFileError } from "./task_file.ts";
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
  /** Answers to each request; the filters see all of them. */
  repeats: number;
  generation: GenerationKwargs | null;
  unsafeCode: boolean;
  /** What the file asks for that has no effect, one line each. */
  warnings: readonly string[];
  config: TaskConfig;
}

/** @throws {TaskFileError} naming file and line of what cannot be used. */
export function compileTask({ file, config, locate }: TaskEntry): Task {
  const attempt = <T>(key: string, action: () => T): T => {
    try {
      return action();
    } catch (error) {
      if (error instanceof TemplateError || error instanceof TaskRuleError || error instanceof RegexError) {
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
  const process = (key: string, name: FunctionName | null | undefined) =>
    name ? attempt(key, () => namedFunction("process_docs", name.name)) : null;
  const processDocs = process("process_docs", config.process_docs);
  const metricList = config.metric_list ?? defaultMetrics[config.output_type].map((metric) => ({ metric }));
  const { repeats = 1 } = config;
  const warnings: string[] = [];
  if (fewshot.samples && (fewshot.split ?? config.fewshot_split)) {
    warnings.push(`${locate("fewshot_config")}: examples come from the split; samples has no effect beside it`);
  }
  if (fewshot.fewshot_indices) {
    warnings.push(
      `${locate("fewshot_config")}: fewshot_indices has no effect, as in lm-evaluation-harness 0.4.13; samples names examples`,
    );
  }
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
      processDocs: fewshot.process_docs === undefined ? processDocs : process("fewshot_config", fewshot.process_docs),
    },
    processDocs,
    processResults:
      config.process_results === undefined
        ? null
        : attempt("process_results", () => namedFunction("process_results", config.process_results!.name)),
    metrics: metricList.map((metric) => attempt("metric_list", () => compileMetric(metric, config))),
    filters: attempt("filter_list", () =>
      config.filter_list?.map((filters) => compileFilters(filters, config.output_type, repeats)),
    ) ?? [takeFirst],
    repeats,
    generation: config.output_type === "generate_until" ? generationDefaults(config, prompt.fewshotDelimiter) : null,
    unsafeCode: config.unsafe_code ?? false,
    warnings,
    config,
  };
}

function compileRule(value: unknown): FieldRule {
  if (value instanceof FunctionName) return { kind: "function", call: namedFunction("field", value.name) };
  if (typeof value === "string") return { kind: "template", source: value, template: new Template(value) };
  if (Array.isArray(value) || typeof value !== "object" || value === null) return { kind: "constant", value };
  return { kind: "constant", value: Object.values(value) };
}

/** @throws {TaskRuleError} unless tasks of that type have the metric. */
function checkMetric(name: string, outputType: OutputType): void {
  const known = Object.keys(metricDefinitions).filter((key) => metricDefinitions[key].outputTypes.includes(outputType));
  if (known.includes(name)) return;
  throw new TaskRuleError(
    `unknown metric "${name}"${nearestHint(name, known)} (${outputType} has ${known.join(", ")})`,
  );
}

function compileMetric(metric: MetricConfig, config: TaskConfig): Metric {
  const isFunction = metric.metric instanceof FunctionName;
  const name = metric.metric instanceof FunctionName ? metric.metric.name : metric.metric;
  const isOurs = !isFunction && config.process_results === undefined;
  if (isOurs) checkMetric(name, config.output_type);
  const defaults = metricDefinition(name);
  const aggregation = namedAggregation(metric.aggregation ?? defaults.aggregation);
  const { values } = namedAggregation(defaults.aggregation);
  if (isOurs && aggregation.values !== values && aggregation.values !== "any") {
    throw new TaskRuleError(`${name} cannot be aggregated by ${aggregation.name} (but by ${defaults.aggregation})`);
  }
  return {
    name,
    aggregation,
    higherIsBetter: metric.higher_is_better ?? defaults.higherIsBetter,
    exactMatch: !isFunction && name === "exact_match" ? compileExactMatch(metric) : null,
    custom: isFunction ? { call: namedFunction("metric", name), ks: metric.k ?? [1] } : null,
  };
}

function generationDefaults({ generation_kwargs: given }: TaskConfig, fewshotDelimiter: string): GenerationKwargs {
  if (given !== undefined) {
    const { max_gen_toks, max_new_tokens, max_tokens, max_completion_tokens, ...settings } = given;
    const maxTokens = max_gen_toks ?? max_new_tokens ?? max_tokens ?? max_completion_tokens;
    const limit = maxTokens === undefined ? {} : { max_gen_toks: maxTokens };
    return { ...settings, ...limit, until: given.until ?? [fewshotDelimiter] };
  }
  return { until: [fewshotDelimiter], max_gen_toks: 256, do_sample: false, temperature: 0 };
}
