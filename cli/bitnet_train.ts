/** `bitnet-train`: trains a model from a configuration and text; see `--help`. */
import { synonymKeys, synonymOf } from "../src/config/key_synonyms.ts";
import { defineCommand } from "./command.ts";
import { variantHelp } from "./kernel_variants.ts";
import { trainFlags } from "./train_flags.ts";

/** What to say for a flag that is a key of the recipe, here or in another trainer. */
function keyFlagAdvice(flag: string): string | undefined {
  const name = flag.replaceAll("-", "_");
  const exact = synonymKeys.find((key) => key.split(".")[1] === name);
  const { key, advice } = exact === undefined ? (synonymOf(name) ?? {}) : { key: exact };
  if (key === "data.sources") return "name the data with --data";
  return key === undefined ? advice : `set it with --set ${key}=VALUE`;
}

export const command = defineCommand({
  name: "bitnet-train",
  summary: "Trains a BitNet b1.58 (or its float twin) from text and writes checkpoints, metrics and a loss plot.",
  options: trainFlags,
  advice: keyFlagAdvice,
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
  epilogue: () =>
    `Ctrl-C finishes the step, writes a checkpoint and exits with code 130; a second one kills.\n${variantHelp()}`,
  async run(flags, { signal }) {
    const { runTraining } = await import("./train_run.ts");
    await runTraining(flags, signal);
  },
});
