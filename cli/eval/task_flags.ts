/** Flags of `bitnet-eval` that say what is asked of a model; choose_tasks.ts does what they say. */
import type { InferredOptionTypes, Options } from "yargs";

export const taskOptions = {
  tasks: {
    type: "string",
    alias: "t",
    array: true,
    describe: "Tasks, groups, tags and patterns (mmlu_*), with commas or spaces between; list: print them",
  },
  include_path: { type: "string", array: true, describe: "Folder or .yaml file with task files of your own" },
  num_fewshot: { type: "number", alias: "f", describe: "Examples in the prompt [default: the task's own]" },
  limit: { type: "number", alias: "L", describe: "First N documents of each task; below 1: that share" },
  "data-dir": {
    type: "string",
    describe: "Task data: DIR/<task>/<split>.jsonl or .parquet [default: Hugging Face cache and Hub]",
  },
  gen_kwargs: {
    type: "string",
    describe: "Generation settings: max_gen_toks, temperature, top_k, top_p, do_sample, until",
  },
  system_instruction: { type: "string", describe: "Stands before every prompt, or is the chat's system message" },
  apply_chat_template: {
    type: "string",
    requiresArg: false,
    describe: "Format prompts with the tokenizer's chat template (or the one of that name)",
  },
  fewshot_as_multiturn: {
    type: "boolean",
    describe: "Examples are turns of the chat [default: yes with --apply_chat_template]",
  },
  seed: {
    type: "string",
    default: "0,1234,1234,1234",
    describe: "Seeds: random, numpy, torch (sampled generation), examples; one number: all",
  },
  predict_only: {
    type: "boolean",
    alias: "x",
    default: false,
    describe: "Keep the answers (--log_samples), judge nothing",
  },
  strict: {
    type: "boolean",
    default: false,
    describe: "A prompt longer than the context, a bad label or a missing field is an error, not a remark",
  },
  write_out: { type: "boolean", alias: "w", default: false, describe: "Print the first prompt of each task" },
  confirm_run_unsafe_code: {
    type: "boolean",
    default: false,
    describe: "Allow tasks that run code which the model writes (humaneval)",
  },
} as const satisfies Record<string, Options>;

export type TaskOptions = InferredOptionTypes<typeof taskOptions>;
