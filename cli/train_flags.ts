/** Flags of `bitnet-train`. */
import type { InferredOptionTypes } from "yargs";
import { recipeNames } from "../src/config/recipes.ts";
import { backendNames } from "../src/ops/compute.ts";

export const trainFlags = {
  config: { type: "string", description: `YAML file or shipped recipe: ${recipeNames().join(", ")}` },
  out: { type: "string", description: "run directory (not needed with --dry-run)" },
  data: {
    type: "array",
    string: true,
    description: "files, folders, globs or Hugging Face dataset ids to train on; - is standard input",
  },
  "init-from": {
    type: "string",
    description:
      "begin with the weights of a run, a checkpoint, a Hugging Face folder, a GGUF file, or a model of the Hub: init_from",
  },
  set: { type: "array", string: true, description: "override keys of the configuration: section.key=value" },
  resume: { type: "boolean", default: false, description: "continue the run in --out, to the same bits" },
  "until-step": {
    type: "number",
    description: "pause after this update, with a checkpoint; the schedule stays that of the whole run",
  },
  backend: { choices: backendNames, description: "default native; wasm if the addon is not built" },
  threads: {
    type: "number",
    description: "threads of the native backend (default: BITNET_THREADS, else all CPUs that it may use)",
  },
  seed: { type: "number", description: "training.seed: initial weights, data order, samples" },
  tracker: {
    type: "array",
    string: true,
    description: "modules that get the run's numbers: they export init, log and finish, as W&B and trackio have them",
  },
  dashboard: {
    type: "string",
    requiresArg: false,
    description: "serve a live page of the run on 127.0.0.1, at a free port or --dashboard=PORT, while it trains",
  },
  "dry-run": { type: "boolean", default: false, description: "print parameters, memory, tokens and time, and stop" },
} as const;

export type TrainFlags = InferredOptionTypes<typeof trainFlags>;
