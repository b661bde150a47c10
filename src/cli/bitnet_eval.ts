/** `bitnet-eval`: scores a model on tasks, as lm-evaluation-harness does; see `--help`. */
import { evaluate } from "../eval/evaluator.ts";
import { GenKwargsError, parseGenKwargs } from "../eval/gen_kwargs.ts";
import { writeResultFiles } from "../eval/result_files.ts";
import { resultsJson } from "../eval/results.ts";
import { chanceLines, resultsTable } from "../eval/results_table.ts";
import type { GenerationKwargs, Task } from "../eval/task.ts";
import { type FetchSplit, TaskData } from "../eval/task_data.ts";
import { findTask, tasks, UnknownTaskError } from "../eval/tasks/registry.ts";
import { checkInteger, runCommand, UsageError } from "./command.ts";
import { backendChoices, describeModel, openModel } from "./open_model.ts";
import { RequestProgress } from "./request_progress.ts";

/** A mistake in a flag's value is wrong usage, and says which flag. */
function usage<T>(flag: string, errorType: new (message: string) => Error, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof errorType) throw new UsageError(`--${flag}: ${error.message}`);
    throw error;
  }
}

function parseTasks(list: string): Task[] {
  const names = list.split(",").map((name) => name.trim());
  return usage("tasks", UnknownTaskError, () => [...new Set(names)].map(findTask));
}

function parseGeneration(text: string | undefined): Partial<GenerationKwargs> | undefined {
  return text === undefined ? undefined : usage("gen_kwargs", GenKwargsError, () => parseGenKwargs(text));
}

function checkLimit(limit: number | undefined): void {
  if (limit === undefined || (limit > 0 && (limit < 1 || Number.isInteger(limit)))) return;
  throw new UsageError(`--limit must be a whole number, or a share between 0 and 1, not ${limit}`);
}

/** From the Hugging Face cache; what is not there comes from the Hub, whose library is loaded only then. */
const fetchSplit: FetchSplit = async ({ path, config }, split) => {
  const { fetchHubDataset } = await import("../../training/data/hub_dataset.ts");
  const id = { name: path, revision: "main", selector: config === null ? split : `${config}/${split}` };
  try {
    return await fetchHubDataset(id, { env: { ...process.env, HF_HUB_OFFLINE: "1" } });
  } catch {
    return fetchHubDataset(id);
  }
};

await runCommand({
  name: "bitnet-eval",
  summary:
    "Scores a GGUF file or a checkpoint on tasks, with the prompts, draws and metrics of lm-evaluation-harness 0.4.",
  options: {
    model: { type: "string", demandOption: true, describe: "GGUF file, checkpoint directory or run directory" },
    tasks: {
      type: "string",
      demandOption: true,
      describe: `Comma-separated: ${tasks.map(({ name }) => name).join(", ")}`,
    },
    num_fewshot: { type: "number", describe: "Examples in the prompt [default: the task's own]" },
    limit: { type: "number", describe: "First N documents of each task; below 1: that share" },
    "data-dir": {
      type: "string",
      describe: "Task data: DIR/<task>/<split>.jsonl or .parquet [default: Hugging Face cache and Hub]",
    },
    output_path: { type: "string", describe: "Folder for results_*.json (or the name of a .json file)" },
    log_samples: { type: "boolean", default: false, describe: "Write samples_<task>_*.jsonl too" },
    gen_kwargs: {
      type: "string",
      describe: "Generation settings: max_gen_toks, temperature, top_k, top_p, do_sample, until",
    },
    seed: { type: "number", default: 0, describe: "Seed of sampled generation" },
    threads: { type: "number", describe: "Threads [default: BITNET_THREADS, else all CPUs]" },
    backend: { choices: backendChoices, describe: "tfjs backend of a checkpoint [default: native]" },
  },
  examples: [
    ["$0 --model small.gguf --tasks toy_arc,toy_piqa,toy_gsm8k", "Held-out questions of the generated world"],
    [
      "$0 --model runs/small --tasks toy_arc --limit 50",
      "The newest checkpoint of a run, through the training forward",
    ],
    ["$0 --model small.gguf --tasks arc_easy,piqa --data-dir data --num_fewshot 5", "Local files, five examples"],
    [
      "$0 --model small.gguf --tasks gsm8k --gen_kwargs max_gen_toks=96 --output_path out --log_samples",
      "Keep samples",
    ],
  ],
  epilogue:
    "Data sets come from the Hugging Face cache or the Hub (HF_HOME, HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE). " +
    "BITNET_ISA=scalar|avx2|avx512vnni|neondot forces a kernel variant.",
  async run(options, { signal }) {
    checkInteger("num_fewshot", options.num_fewshot, 0);
    checkInteger("seed", options.seed, 0);
    checkInteger("threads", options.threads, 1);
    checkLimit(options.limit);
    if (options.log_samples && options.output_path === undefined) {
      throw new UsageError("--log_samples needs --output_path");
    }
    const chosen = parseTasks(options.tasks);
    const generation = parseGeneration(options.gen_kwargs);
    const startedAt = Date.now();

    const model = await openModel(options.model, options);
    const progress = new RequestProgress();
    try {
      console.error(describeModel(model));
      const data = new TaskData({ dataDirectory: options["data-dir"], fetchSplit });
      const results = await evaluate(model, chosen, data, {
        numFewshot: options.num_fewshot,
        limit: options.limit,
        generation,
        seed: options.seed,
        signal,
        onProgress: (done, total) => progress.update(done, total),
      });
      progress.close();

      console.log(
        `bitnet-lab (${model.name}), gen_kwargs: (${options.gen_kwargs ?? "None"}), limit: ${options.limit ?? "None"}, ` +
          `num_fewshot: ${options.num_fewshot ?? "None"}`,
      );
      console.log(resultsTable(results));
      for (const line of chanceLines(results)) console.log(line);
      if (options.output_path === undefined) return;
      const settings = {
        numFewshot: options.num_fewshot ?? null,
        limit: options.limit ?? null,
        genKwargs: generation ?? null,
        seed: options.seed,
      };
      const json = resultsJson(model, results, settings, startedAt);
      const written = await writeResultFiles(options.output_path, model.name, json, results, options.log_samples);
      for (const file of [written.results, ...written.samples]) console.log(`wrote ${file}`);
    } finally {
      progress.close();
      model.dispose();
    }
  },
});
