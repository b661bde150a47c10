/** A task's settings as lm-evaluation-harness's results file repeats them (`TaskConfig.to_dict`). */
import type { TaskResult } from "../evaluator.ts";
import { FunctionName } from "../schema/task_schema.ts";

/** Functions by their name; keys without a value are left out. */
function plain(value: unknown): unknown {
  if (value instanceof FunctionName) return `!function ${value.name}`;
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, entry]) => (entry === undefined ? [] : [[key, plain(entry)]])),
  );
}

export function taskConfigJson({ task, numFewshot, generation }: TaskResult): Record<string, unknown> {
  const { config } = task;
  const { metadata, fewshot_config: fewshot, ...settings } = config;
  const description = config.description ?? "";
  const delimiters = {
    target_delimiter: config.target_delimiter ?? " ",
    fewshot_delimiter: config.fewshot_delimiter ?? "\n\n",
  };
  const present = Object.entries(settings).filter(([, value]) => value !== null && value !== undefined);
  return plain({
    ...Object.fromEntries(present),
    dataset_path: config.dataset_path ?? null,
    unsafe_code: config.unsafe_code ?? false,
    description,
    ...delimiters,
    fewshot_config: {
      sampler: task.fewshot.sampler,
      split: task.splits.fewshot ?? null,
      process_docs: config.process_docs ?? null,
      fewshot_indices: null,
      samples: null,
      doc_to_text: config.doc_to_text,
      doc_to_choice: config.doc_to_choice ?? null,
      doc_to_target: config.doc_to_target,
      gen_prefix: config.gen_prefix ?? null,
      ...delimiters,
      ...fewshot,
    },
    num_fewshot: numFewshot,
    ...(generation && { generation_kwargs: generation }),
    repeats: task.repeats,
    should_decontaminate: config.should_decontaminate ?? false,
    metadata: { ...metadata, version: task.version, config_source: task.source },
  }) as Record<string, unknown>;
}
