/** bitnet-export: a checkpoint -> a file for one of the readers in export/targets, verified. */
import type { InferredOptionTypes } from "yargs";
import { modelPresets } from "../../export/random_model.ts";
import { targetNames } from "../../export/targets/target.ts";
import { embeddingDtypes } from "../config/model_config.ts";
import { exportTypes } from "../config/packing_rules.ts";
import { runCommand } from "./command.ts";

const options = {
  out: { type: "string", demandOption: true, describe: "GGUF file to write (a directory for --target transformers)" },
  target: { choices: targetNames, default: "bitnet-lab", describe: "The program that will read it" },
  type: {
    choices: exportTypes,
    describe:
      "Type of the linear weights. Default: tq2_0; i2_s for bitnet.cpp; packed codes for transformers; f32 for a model without weight quantizer",
  },
  "embedding-type": {
    choices: embeddingDtypes,
    describe:
      "Type of the embedding and head. Default: the embedding_dtype of the training. Another one makes a different model: the loss difference is printed",
  },
  name: { type: "string", describe: "Name of the model in the file. Default: that of the run or checkpoint directory" },
  text: {
    type: "string",
    describe: "Text file on which losses and log-probabilities are compared. Default: a page of built-in English",
  },
  verify: {
    choices: ["logits", "tensors"],
    describe:
      "logits: compare tensors, then log-probabilities (the model runs in float32 beside the file). tensors: only what was written. Default: logits; nothing for --random",
  },
  random: {
    type: "string",
    describe: `Instead of a checkpoint: random weights in the shape of a preset (${Object.keys(modelPresets).join(", ")}), a recipe or a config.json, with a byte vocabulary. For benchmarks`,
  },
  seed: { type: "number", default: 0, describe: "Of the random weights" },
  threads: { type: "number", describe: "Threads of the comparison. Default: BITNET_THREADS, else all CPUs" },
} as const;

export type ExportFlags = InferredOptionTypes<typeof options>;

await runCommand({
  name: "bitnet-export",
  summary:
    "Writes a trained model for a reader: a GGUF file, or a directory for Hugging Face transformers. What that reader would compute wrongly is refused. Every export is read back and compared with the checkpoint, then run and compared with the training forward, bit for bit.",
  positionals: ["checkpoint"],
  requiredPositionals: 0,
  options,
  examples: [
    ["$0 runs/small --out small.gguf", "newest checkpoint of a run, for bitnet-eval and bitnet-generate"],
    ["$0 runs/small --out small.gguf --type tq1_0", "1.69 bits per weight instead of 2.06"],
    ["$0 runs/small --out small.gguf --target bitnet.cpp", "I2_S, for Microsoft's bitnet.cpp"],
    ["$0 runs/silu --out silu.gguf --target llama.cpp", "for llama.cpp, Ollama, LM Studio (hidden_act: silu)"],
    [
      "$0 bitnet-b1.58-2B-4T --out 2b4t.gguf --verify tensors",
      "Hugging Face's packed checkpoint, read back; comparing log-probabilities too takes 4 bytes of memory per parameter",
    ],
    ["$0 runs/small --out small-hf --target transformers", "packed codes for AutoModelForCausalLM"],
    ["$0 runs/small --out small.gguf --embedding-type q8_0 --text valid.txt", "smaller, and what it costs"],
    ["$0 --random bitnet-b1.58-2B-4T --out random.gguf", "2.4 billion random weights, to measure the engine with"],
  ],
  epilogue: "<checkpoint> is a run directory or a checkpoint directory, ours or Hugging Face's (BitNet, Llama).",
  async run(flags, { positionals: [directory] }) {
    const { runExport } = await import("./export_run.ts");
    await runExport(flags, directory);
  },
});
