/** `bitnet-eval`: scores a model on tasks, as lm-evaluation-harness does; see `--help`. */
import { evaluate } from "../eval/evaluator.ts";
import { scoreGroups } from "../eval/group_scores.ts";
import { checkInteger, runCommand, UsageError } from "./command.ts";
import { checkOutputOptions, outputOptions, printResults, writeResults } from "./eval/output_options.ts";
import { chooseTasks, chosenChatTemplate, listTasks, taskOptions } from "./eval/task_options.ts";
import { backendChoices, describeModel, openModel } from "./open_model.ts";
import { RequestProgress } from "./request_progress.ts";

await runCommand({
  name: "bitnet-eval",
  summary:
    "Scores a GGUF file or a checkpoint on tasks, with the prompts, draws and metrics of lm-evaluation-harness 0.4.",
  options: {
    model: { type: "string", describe: "GGUF file, checkpoint directory or run directory" },
    ...taskOptions,
    ...outputOptions,
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
    checkInteger("threads", options.threads, 1);
    checkOutputOptions(options);
    if (options.tasks === "list") {
      console.log(listTasks(options));
      return;
    }
    if (options.model === undefined) throw new UsageError("Missing required argument: model");
    const chosen = chooseTasks(options);
    const startedAt = Date.now();

    const model = await openModel(options.model, options);
    const progress = new RequestProgress();
    try {
      console.error(describeModel(model));
      chosen.evaluation.chatTemplate = chosenChatTemplate(options, model.tokenizer);
      const results = await evaluate(model, chosen.tasks, chosen.data, {
        ...chosen.evaluation,
        signal,
        onProgress: (done, total) => progress.update(done, total),
      });
      progress.close();
      const groups = scoreGroups(chosen.groups, results);
      printResults(model, results, groups, options);
      await writeResults(model, results, groups, chosen, options, startedAt);
    } finally {
      progress.close();
      model.dispose();
    }
  },
});
