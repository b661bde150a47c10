/** `bitnet-eval`: scores models on tasks, as lm-evaluation-harness does; see `--help`. */
import { defineCommand } from "./command.ts";
import { modelOptions } from "./eval/model_flags.ts";
import { outputOptions } from "./eval/output_flags.ts";
import { overlapOptions } from "./eval/overlap_flags.ts";
import { taskOptions } from "./eval/task_flags.ts";
import { textOptions } from "./eval/text_flags.ts";
import { variantHelp } from "./kernel_variants.ts";

/** Flags of lm-evaluation-harness that have nothing to say here. */
const ignoredOfLmEval: Record<string, string> = {
  device: "models run on the CPU: leave it out",
  "batch-size": "batches are chosen by length: leave it out",
  "max-batch-size": "batches are chosen by length: leave it out",
  "trust-remote-code": "no code of models or data sets is run: leave it out",
};

export const command = defineCommand({
  name: "bitnet-eval",
  summary:
    "Scores GGUF files, checkpoints and served models on tasks, with the prompts, draws and metrics of " +
    "lm-evaluation-harness 0.4.",
  options: {
    ...modelOptions,
    ...taskOptions,
    ...outputOptions,
    ...overlapOptions,
    ...textOptions,
    compare: {
      type: "string",
      array: true,
      describe:
        "Two results files, or folders with them: prints their differences and whether they are more than chance, and ends",
    },
  },
  advice: (flag) => ignoredOfLmEval[flag],
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
    [
      "$0 --model small.gguf --model http://localhost:8080/v1 --model_args tokenizer=llama.gguf --tasks arc_easy",
      "Two models side by side, one of them served by llama.cpp",
    ],
    ["$0 --model small.gguf --text book.txt --stride 256", "Perplexity and bits per byte of a text"],
    [
      "$0 --check_overlap corpus/ --tasks arc_easy,piqa",
      "Which questions stand in the training corpus; no model needed",
    ],
    ["$0 --compare a/results_1.json b/results_2.json", "Paired by document, from the samples beside the files"],
  ],
  epilogue: () =>
    "Data sets come from the Hugging Face cache or the Hub (HF_HOME, HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE, HTTPS_PROXY, NO_PROXY). " +
    `OPENAI_API_KEY goes to servers. ${variantHelp()}`,
  async run(options, { signal }) {
    // Loaded only now: help and wrong flags are answered at once.
    const { runEvaluation } = await import("./eval/run_evaluation.ts");
    await runEvaluation(options, signal);
  },
});
