/** Flags of `bitnet-export`. */
import type { InferredOptionTypes } from "yargs";
import { modelPresets } from "../export/random_model.ts";
import { targetNames } from "../export/targets/targets.ts";
import { embeddingTypes } from "../src/config/table_types.ts";
import { exportTypes } from "../src/config/tensor_fit.ts";
import { rowKeepingOrders } from "../src/gguf/i2_s_orders.ts";
import { computeFlags } from "./compute_flags.ts";

export const exportFlags = {
  from: {
    type: "string",
    describe:
      "Instead of a checkpoint: a model of the Hugging Face Hub, owner/name, owner/name@revision or owner/name:FILE.gguf, downloaded into the Hub's cache as far as it is needed",
  },
  out: { type: "string", demandOption: true, describe: "GGUF file to write (a directory for --target transformers)" },
  upload: {
    type: "string",
    describe:
      "Commit what was written and verified to this model repository of the Hugging Face Hub (owner/name), which is made if it is not there. HF_TOKEN needs a token that may write",
  },
  target: { choices: targetNames, default: "bitnet-lab", describe: "The program that will read it" },
  type: {
    choices: exportTypes,
    describe:
      "Type of the linear weights. Default: tq2_0; i2_s for bitnet.cpp; packed codes for transformers; f32 for a model without weight quantizer",
  },
  "embedding-type": {
    choices: embeddingTypes,
    describe:
      "Type of the embedding and head. Default: the embedding_dtype of the training, or q2_0 where an embedding_quantizer made codes for it. Another one makes a different model: the loss difference is printed",
  },
  quantization: computeFlags.quantization,
  "i2s-order": {
    choices: [...rowKeepingOrders, "auto"],
    describe:
      "Order of the codes of I2_S in a GGUF file, which nothing in it marks. auto: the loss of a text under each order decides. Default: x86, unless the codes show another one",
  },
  name: { type: "string", describe: "Name of the model in the file. Default: that of the run or checkpoint directory" },
  author: {
    type: "string",
    describe: "Who made the model. This and the next three override the recipe's section about",
  },
  license: { type: "string", describe: "Terms of the model, best as an SPDX identifier (mit, apache-2.0)" },
  description: { type: "string", describe: "What the model is. Default: how it was trained" },
  url: { type: "string", describe: "Where to read on" },
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
  threads: {
    type: "number",
    describe: "Threads of the comparison. Default: BITNET_THREADS, else all CPUs that it may use",
  },
} as const;

export type ExportFlags = InferredOptionTypes<typeof exportFlags>;
