/**
 * The keys of a task file, as lm-evaluation-harness 0.4 names them (`config/task.py`, `config/group.py`). What it would
 * take as Python code is here `!function <name>` of a closed list (`named_functions.ts`).
 */
import { z } from "zod";

export const outputTypes = ["multiple_choice", "generate_until", "loglikelihood", "loglikelihood_rolling"] as const;
export type OutputType = (typeof outputTypes)[number];

/** `!function hellaswag.process_docs` in a task file. */
export class FunctionName {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

const functionName = z.instanceof(FunctionName, { error: "expected !function <name>" });
const template = z.union([z.string(), functionName], { error: "expected a template or !function <name>" });
const textOrNumber = z.union([z.string(), z.int(), functionName], {
  error: "expected a template, a number or !function",
});
const choices = z.union([z.array(z.string()), z.record(z.string(), z.string()), template], {
  error: "expected a list of texts, a template or !function <name>",
});
const texts = z.union([z.string().transform((text) => [text]), z.array(z.string())], {
  error: "expected a text or a list of texts",
});
const split = z.string().nullable().optional();

const metricSchema = z.strictObject({
  metric: z.union([z.string(), functionName], { error: "expected a metric's name or !function <name>" }),
  aggregation: z.union([z.string(), functionName], { error: "expected an aggregation's name or !function" }).optional(),
  higher_is_better: z.boolean().optional(),
  ignore_case: z.boolean().optional(),
  ignore_punctuation: z.boolean().optional(),
  ignore_numbers: z.boolean().optional(),
  regexes_to_ignore: z.array(z.string()).optional(),
  k: z.array(z.int().min(1)).optional(),
  /** Some files copy it from a group's list; a task's score is not weighted. */
  weight_by_size: z.boolean().optional(),
});

const regexKeys = {
  regex_pattern: z.string().optional(),
  group_select: z.int().optional(),
  fallback: z.string().optional(),
};
const mapped = z.union([z.string(), z.number(), z.null()], { error: "expected a text or a number" });

const filterSteps = [
  z.strictObject({ function: z.literal("regex"), ...regexKeys }),
  z.strictObject({
    function: z.literal("multi_choice_regex"),
    ...regexKeys,
    ignore_case: z.boolean().optional(),
    ignore_punctuation: z.boolean().optional(),
    regexes_to_ignore: z.array(z.string()).optional(),
  }),
  z.strictObject({ function: z.literal("take_first") }),
  z.strictObject({ function: z.literal("take_first_k"), k: z.int().min(1) }),
  z.strictObject({ function: z.literal("majority_vote") }),
  z.strictObject({ function: z.literal("remove_whitespace") }),
  z.strictObject({ function: z.literal("lowercase") }),
  z.strictObject({ function: z.literal("uppercase") }),
  z.strictObject({
    function: z.literal("map"),
    mapping_dict: z.record(z.string(), mapped),
    default_value: mapped.optional(),
  }),
  z.strictObject({ function: z.literal("custom"), filter_fn: functionName }),
] as const;
const filterNames = filterSteps.map(({ shape }) => shape.function.value).join(", ");
const filterStep = z.discriminatedUnion("function", filterSteps, { error: `expected one of ${filterNames}` });

const generationSchema = z.strictObject({
  until: texts.optional(),
  max_gen_toks: z.int().min(1).optional(),
  // Other names of it, in the order in which they count.
  max_new_tokens: z.int().min(1).optional(),
  max_tokens: z.int().min(1).optional(),
  max_completion_tokens: z.int().min(1).optional(),
  do_sample: z.boolean().optional(),
  temperature: z.number().min(0).optional(),
  top_k: z.int().min(1).optional(),
  top_p: z.number().gt(0).max(1).optional(),
});

const fewshotSchema = z.strictObject({
  sampler: z.enum(["default", "first_n"], { error: "expected default or first_n" }).optional(),
  split,
  samples: z.array(z.record(z.string(), z.unknown())).min(1).nullable().optional(),
  /** lm-evaluation-harness 0.4.13 reads them and does not use them. */
  fewshot_indices: z.array(z.int().min(0)).nullable().optional(),
  /** Of the examples' own split; null: none, though the task has one. */
  process_docs: functionName.nullable().optional(),
  doc_to_text: textOrNumber.optional(),
  doc_to_target: textOrNumber.optional(),
  doc_to_choice: choices.optional(),
  gen_prefix: z.string().optional(),
  fewshot_delimiter: z.string().optional(),
  target_delimiter: z.string().optional(),
});

const metadata = z.looseObject({
  version: z.union([z.number(), z.string()], { error: "expected a number or a text" }).optional(),
  /** What the file follows; ours. */
  source: z.string().optional(),
});

export const taskSchema = z.strictObject({
  task: z.string(),
  task_alias: z.string().optional(),
  tag: texts.optional(),
  dataset_path: z.string().nullable().optional(),
  dataset_name: z.string().nullable().optional(),
  dataset_kwargs: z
    .looseObject({ data_files: z.record(z.string(), texts).optional() })
    .nullable()
    .optional(),
  training_split: split,
  validation_split: split,
  test_split: split,
  fewshot_split: split,
  process_docs: functionName.optional(),
  doc_to_text: textOrNumber,
  doc_to_target: textOrNumber,
  doc_to_choice: choices.optional(),
  process_results: functionName.optional(),
  description: z.string().optional(),
  target_delimiter: z.string().optional(),
  fewshot_delimiter: z.string().optional(),
  fewshot_config: fewshotSchema.optional(),
  gen_prefix: z.string().optional(),
  num_fewshot: z.int().min(0).nullable().optional(),
  output_type: z.enum(outputTypes).default("generate_until"),
  generation_kwargs: generationSchema.optional(),
  filter_list: z.array(z.strictObject({ name: z.string(), filter: z.array(filterStep).min(1) })).optional(),
  /** Absent: those of the output type. */
  metric_list: z.array(metricSchema).min(1).optional(),
  /** Answers to each request. */
  repeats: z.int().min(1).max(10_000).optional(),
  unsafe_code: z.boolean().optional(),
  should_decontaminate: z.boolean().optional(),
  doc_to_decontamination_query: z.string().optional(),
  metadata: metadata.optional(),
});

const groupMetric = z.strictObject({
  metric: z.string(),
  aggregation: z.literal("mean").optional(),
  filter_list: texts.optional(),
  weight_by_size: z.boolean().optional(),
});

export const groupSchema = z.strictObject({
  group: z.string(),
  group_alias: z.string().optional(),
  task: texts,
  aggregate_metric_list: z.preprocess(
    // One may stand alone.
    (value) => (value !== null && typeof value === "object" && !Array.isArray(value) ? [value] : value),
    z.array(groupMetric).optional(),
  ),
  metadata: metadata.optional(),
});

export type TaskConfig = z.infer<typeof taskSchema>;
export type GroupConfig = z.infer<typeof groupSchema>;
export type MetricConfig = z.infer<typeof metricSchema>;
export type FilterStep = z.infer<typeof filterStep>;

/** Valid keys below the top level, for "the nearest is". */
export const nestedKeys: Readonly<Record<string, readonly string[]>> = {
  metric_list: Object.keys(metricSchema.shape),
  fewshot_config: Object.keys(fewshotSchema.shape),
  generation_kwargs: Object.keys(generationSchema.shape),
  aggregate_metric_list: Object.keys(groupMetric.shape),
  filter_list: ["name", "filter", ...new Set(filterSteps.flatMap(({ shape }) => Object.keys(shape)))],
};
