/** The command `bitnet-train`: trains a model from a configuration and text. */
import type { InferredOptionTypes } from "yargs";
import { recipeNames } from "../config/recipes.ts";
import type { CommandDefinition } from "./command.ts";
import { backendChoices } from "./open_model.ts";

const options = {
  config: { type: "string", description: `YAML file or shipped recipe: ${recipeNames().join(", ")}` },
  out: { type: "string", description: "run directory (not needed with --dry-run)" },
  data: { type: "array", string: true, description: "files, folders, globs or Hugging Face dataset ids to train on" },
  set: { type: "array", string: true, description: "override keys of the configuration: section.key=value" },
  resume: { type: "boolean", default: false, description: "continue the run in --out, to the same bits" },
  backend: { choices: backendChoices, description: "default native; wasm if the addon is not built" },
  threads: { type: "number", description: "threads of the native backend (default: all CPUs)" },
  seed: { type: "number", description: "training.seed: initial weights, data order, samples" },
  "dry-run": { type: "boolean", default: false, description: "print parameters, memory, tokens and time, and stop" },
} as const;

export type TrainFlags = InferredOptionTypes<typeof options>;

export const trainCommand: CommandDefinition<typeof options> = {
  name: "bitnet-train",
  summary: "Trains a BitNet b1.58 (or its float twin) from text and writes checkpoints, metrics and a loss plot.",
  options,
  examples: [
    ["$0 --config small.yaml --out runs/small", "train on the generated world"],
    ["$0 --config shakespeare.yaml --data input.txt --out runs/play", "train on your own text"],
    [
      "$0 --config small.yaml --out runs/short --set training.max_steps=100 optimizer.learning_rate=1e-3",
      "change keys",
    ],
    ["$0 --resume --out runs/small", "go on after Ctrl-C, a crash or a power cut"],
    ["$0 --config bitnet_99m.yaml --data owner/dataset --dry-run", "what it would take"],
  ],
  epilogue:
    "Ctrl-C finishes the step, writes a checkpoint and exits with code 130; a second one kills.\n" +
    "BITNET_ISA=scalar|avx2|avx512vnni|neondot forces a kernel variant.",
  async run(flags, { signal }) {
    const { runTraining } = await import("./train_run.ts");
    await runTraining(flags, signal);
  },
};
