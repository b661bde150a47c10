/** `bitnet-inspect`: what a model file is, and what every program that reads such files does with it; see `--help`. */
import { defineCommand, UsageError } from "./command.ts";
import { inspectFlags } from "./inspect/inspect_flags.ts";

export const command = defineCommand({
  name: "bitnet-inspect",
  summary:
    "Says what a model file is: architecture, shape, keys, types, scales, zeros, bits of a weight, tokenizer; and what bitnet-lab, llama.cpp, bitnet.cpp, transformers, Ollama and LM Studio do with it: compute it, refuse it, or compute something else.",
  positionals: ["FILE | DIR | org/name"],
  furtherPositionals: "OTHER",
  options: inspectFlags,
  examples: [
    ["$0 model.gguf", "the header at once, then the weights, then the readers"],
    ["$0 model.gguf --no-values", "the header alone"],
    ["$0 model.gguf --tensors --tensor blk.0.", "the tensors of the first layer, with their zeros and scales"],
    ["$0 runs/small", "the newest checkpoint of a run"],
    ["$0 microsoft/bitnet-b1.58-2B-4T", "a model on the Hub: reads headers and config.json only"],
    ["$0 model.gguf --picture codes.png", "the codes of three layers, drawn"],
    ["$0 --diff small.gguf runs/small", "exit code 0: the file has the weights of the checkpoint"],
  ],
  epilogue: "FILE may be any part of a split model. owner/name@revision and owner/name:FILE.gguf say which of several.",
  async run(flags, { positionals, signal }) {
    if (positionals.length !== (flags.diff ? 2 : 1)) {
      throw new UsageError(
        flags.diff ? "--diff compares two models" : `unexpected argument "${positionals[1]}": --diff compares two`,
      );
    }
    if (flags.diff) {
      const { runDiff } = await import("./inspect/run_diff.ts");
      await runDiff(positionals, flags.json, signal);
    } else {
      const { runInspect } = await import("./inspect/run_inspect.ts");
      await runInspect(positionals[0], flags, signal);
    }
  },
});
