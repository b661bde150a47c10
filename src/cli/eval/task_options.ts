/** Flags of `bitnet-eval` that say what is asked of a model: tasks, their data, prompts and generation. */
import type { InferredOptionTypes, Options } from "yargs";
import type { EvaluationOptions } from "../../eval/evaluator.ts";
import { GenKwargsError, parseGenKwargs } from "../../eval/gen_kwargs.ts";
import type { Task } from "../../eval/task.ts";
import { type FetchSplit, TaskData } from "../../eval/task_data.ts";
import { findTask, tasks, UnknownTaskError } from "../../eval/tasks/registry.ts";
import { checkInteger, UsageError } from "../command.ts";

export const taskOptions = {
  tasks: {
    type: "string",
    describe: `Comma-separated: ${tasks.map(({ name }) => name).join(", ")}`,
  },
  num_fewshot: { type: "number", describe: "Examples in the prompt [default: the task's own]" },
  limit: { type: "number", describe: "First N documents of each task; below 1: that share" },
  "data-dir": {
    type: "string",
    describe: "Task data: DIR/<task>/<split>.jsonl or .parquet [default: Hugging Face cache and Hub]",
  },
  gen_kwargs: {
    type: "string",
    describe: "Generation settings: max_gen_toks, temperature, top_k, top_p, do_sample, until",
  },
  seed: { type: "number", default: 0, describe: "Seed of sampled generation" },
} as const satisfies Record<string, Options>;

export type TaskOptions = InferredOptionTypes<typeof taskOptions>;

/** What the flags ask for. */
export interface ChosenTasks {
  tasks: Task[];
  data: TaskData;
  evaluation: EvaluationOptions;
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

function parseTasks(list: string | undefined): Task[] {
  if (list === undefined) throw new UsageError("Missing required argument: tasks");
  const names = list.split(",").map((name) => name.trim());
  return usage("tasks", UnknownTaskError, () => [...new Set(names)].map(findTask));
}

function checkLimit(limit: number | undefined): void {
  if (limit === undefined || (limit > 0 && (limit < 1 || Number.isInteger(limit)))) return;
  throw new UsageError(`--limit must be a whole number, or a share between 0 and 1, not ${limit}`);
}

/** From the Hugging Face cache; what is not there comes from the Hub, whose library is loaded only then. */
const fetchSplit: FetchSplit = async ({ path, config }, split) => {
  const { fetchHubDataset } = await import("../../../training/data/hub_dataset.ts");
  const id = { name: path, revision: "main", selector: config === null ? split : `${config}/${split}` };
  try {
    return await fetchHubDataset(id, { env: { ...process.env, HF_HUB_OFFLINE: "1" } });
  } catch {
    return fetchHubDataset(id);
  }
};

/** @throws {UsageError} naming the flag. */
export function chooseTasks(options: TaskOptions): ChosenTasks {
  checkInteger("num_fewshot", options.num_fewshot, 0);
  checkInteger("seed", options.seed, 0);
  checkLimit(options.limit);
  const { gen_kwargs } = options;
  return {
    tasks: parseTasks(options.tasks),
    data: new TaskData({ dataDirectory: options["data-dir"], fetchSplit }),
    evaluation: {
      numFewshot: options.num_fewshot,
      limit: options.limit,
      generation:
        gen_kwargs === undefined ? undefined : usage("gen_kwargs", GenKwargsError, () => parseGenKwargs(gen_kwargs)),
      seed: options.seed,
    },
  };
}
