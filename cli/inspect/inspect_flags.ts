/** Flags of `bitnet-inspect`. */
import type { InferredOptionTypes } from "yargs";

export const inspectFlags = {
  values: {
    type: "boolean",
    describe:
      "Read the weights, too: zeros, entropy, scales, what they say of the model. Default: yes, except on the Hub",
  },
  losses: {
    type: "boolean",
    default: true,
    describe: "Run a GGUF file on a text, where its values decide between activations or orders of codes",
  },
  keys: { type: "boolean", default: false, describe: "List the keys of the header, or of config.json" },
  tensors: { type: "boolean", default: false, describe: "List the tensors" },
  picture: { type: "string", describe: "Draw the codes into this PNG file" },
  tensor: { type: "string", describe: "Of --tensors and --picture: only the tensors with this in their name" },
  diff: {
    type: "boolean",
    default: false,
    describe: "Compare two models, tensor by tensor; exit code 1 if they differ",
  },
  text: { type: "string", describe: "Text file for the losses. Default: a page of built-in English" },
  threads: { type: "number", alias: "t", describe: "Threads of the losses. Default: BITNET_THREADS, else all CPUs" },
  json: { type: "boolean", default: false, describe: "Print all of it as JSON" },
} as const;

export type InspectFlags = InferredOptionTypes<typeof inspectFlags>;
