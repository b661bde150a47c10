/** bitnet-export: a checkpoint -> a file for one of the readers in export/targets, verified. */
import { defineCommand } from "./command.ts";
import { exportFlags } from "./export_flags.ts";

export const command = defineCommand({
  name: "bitnet-export",
  summary:
    "Writes a model, trained here or read from other programs' files, for a reader: a GGUF file, or a directory for Hugging Face transformers. What that reader would compute wrongly is refused. Every export is read back and compared with the checkpoint, then run and compared with the training forward, bit for bit.",
  positionals: ["checkpoint"],
  requiredPositionals: 0,
  options: exportFlags,
  examples: [
    ["$0 runs/small --out small.gguf", "newest checkpoint of a run, for bitnet-eval and bitnet-generate"],
    ["$0 runs/small --out small.gguf --type tq1_0", "1.69 bits per weight instead of 2.06"],
    ["$0 runs/small --out small.gguf --target bitnet.cpp", "I2_S, for Microsoft's bitnet.cpp"],
    ["$0 runs/silu --out silu.gguf --target llama.cpp", "for llama.cpp, Ollama, LM Studio (hidden_act: silu)"],
    [
      "$0 bitnet-b1.58-2B-4T --out 2b4t.gguf --verify tensors",
      "Hugging Face's packed checkpoint, read back; comparing log-probabilities too takes 4 bytes of memory per parameter",
    ],
    [
      "$0 --from microsoft/bitnet-b1.58-2B-4T --out 2b4t.gguf --verify tensors",
      "the same from the Hugging Face Hub (docs/hub.md)",
    ],
    ["$0 runs/small --out small-hf --target transformers", "packed codes for AutoModelForCausalLM"],
    ["$0 runs/small --out small.gguf --upload me/small", "written here, verified, then committed to the Hub"],
    ["$0 small.gguf --out small-hf --target transformers", "from one file to another: any that the engine runs"],
    ["$0 runs/small --out small.gguf --embedding-type q8_0 --text valid.txt", "smaller, and what it costs"],
    ["$0 arm.gguf --out x86.gguf --type i2_s --i2s-order arm", "I2_S of bitnet.cpp on ARM, in the usual order"],
    ["$0 --random bitnet-b1.58-2B-4T --out random.gguf", "2.4 billion random weights, to measure the engine with"],
  ],
  epilogue:
    "<checkpoint> is a run directory, a checkpoint directory, ours or Hugging Face's, or a GGUF file (docs/families.md).",
  async run(flags, { positionals: [directory], signal }) {
    const { runExport } = await import("./export_run.ts");
    await runExport(flags, directory, signal);
  },
});
