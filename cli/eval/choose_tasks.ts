/** What the flags of task_flags.ts ask of a model: tasks, their data, prompts and generation. */
import {
  ChatPrompt,
  type EvaluationOptions,
  fetchHubSplit,
  type Seeds,
  type Task,
  TaskData,
  type TaskGroup,
  TaskRegistry,
  UnknownTaskError,
} from "../../src/eval/index.ts";
import { pythonRepr } from "../../src/python/values.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { checkInteger, UsageError } from "../command.ts";
import { sayAside } from "../terminal/say.ts";
import { GenKwargsError, parseGenKwargs } from "./gen_kwargs.ts";
import { parseSeeds, SeedError } from "./seeds.ts";
import type { TaskOptions } from "./task_flags.ts";

/** What the flags ask for. */
export interface ChosenTasks {
  tasks: Task[];
  groups: TaskGroup[];
  data: TaskData;
  evaluation: EvaluationOptions;
  seeds: Seeds;
}

/** A mistake in a flag's value is wrong usage, and says which flag. */
function usage<T>(flag: string, errorType: new (message: string) => Error, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof errorType) throw new UsageError(`--${flag}: ${error.message}`);
    throw error;
  }
}

function checkLimit(limit: number | undefined): void {
  if (limit === undefined || (limit > 0 && (limit < 1 || Number.isInteger(limit)))) return;
  throw new UsageError(`--limit must be a whole number, or a share between 0 and 1, not ${limit}`);
}

/** @throws {UsageError} naming the flag, or {TaskFileError} for a task file that cannot be used. */
export function chooseTasks(options: TaskOptions): ChosenTasks {
  checkInteger("num_fewshot", options.num_fewshot, 0);
  checkLimit(options.limit);
  const { gen_kwargs, apply_chat_template, fewshot_as_multiturn } = options;
  if (options.tasks === undefined) throw new UsageError("--tasks is missing: names, or list to see them all");
  if (fewshot_as_multiturn && apply_chat_template === undefined) {
    throw new UsageError("--fewshot_as_multiturn needs --apply_chat_template");
  }
  const seeds = usage("seed", SeedError, () => parseSeeds(options.seed));
  const registry = new TaskRegistry(options.include_path);
  const names = options.tasks.flatMap((text) => text.split(",")).map((name) => name.trim());
  const { tasks, groups } = usage("tasks", UnknownTaskError, () => registry.select(names));
  for (const warning of tasks.flatMap(({ warnings }) => warnings)) sayAside(warning);
  return {
    tasks,
    groups,
    seeds,
    data: new TaskData({
      dataDirectory: options["data-dir"],
      fetchSplit: fetchHubSplit,
      onRemark: (line) => sayAside(`note: ${line}`),
    }),
    evaluation: {
      numFewshot: options.num_fewshot,
      limit: options.limit,
      generation:
        gen_kwargs === undefined ? undefined : usage("gen_kwargs", GenKwargsError, () => parseGenKwargs(gen_kwargs)),
      systemInstruction: options.system_instruction,
      fewshotAsMultiturn: fewshot_as_multiturn ?? apply_chat_template !== undefined,
      fewshotSeed: seeds.fewshot,
      seed: seeds.torch,
      predictOnly: options.predict_only,
      strict: options.strict,
      onRemark: sayAside,
      confirmUnsafeCode: options.confirm_run_unsafe_code,
      onPrompt: options.write_out ? printPrompt : undefined,
    },
  };
}

/** The template that `--apply_chat_template` asks for. @throws {ChatTemplateError} */
export function chosenChatTemplate(options: TaskOptions, tokenizer: Tokenizer): ChatPrompt | undefined {
  const { apply_chat_template: name } = options;
  return name === undefined ? undefined : new ChatPrompt(tokenizer, name === "" ? undefined : name);
}

const printPrompt: EvaluationOptions["onPrompt"] = (task, { context }, target) => {
  for (const text of [context].flat()) {
    console.log(`Task ${task.name}, document 0, prompt (from the next line):\n${text}\n(end of the prompt)`);
  }
  console.log(`target: ${pythonRepr(target)}`);
};

/** One line for each task, group and tag. */
export function listTasks(options: TaskOptions): string {
  const { tasks, groups, tags } = new TaskRegistry(options.include_path).list();
  const lines = tasks.map(({ task, output_type, metadata }) => {
    const version = String(metadata?.version ?? "-");
    return `${task.padEnd(40)} ${version.padEnd(5)} ${output_type.padEnd(21)} ${metadata?.source ?? ""}`.trimEnd();
  });
  return [
    ...lines,
    ...groups.map(({ group, metadata }) => `${`group ${group}`.padEnd(40)} ${metadata?.version ?? "-"}`),
    `tags: ${tags.join(", ")}`,
  ].join("\n");
}
