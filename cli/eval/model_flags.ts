/** Flags of `bitnet-eval` that say which model is asked, and how; open_evaluated_model.ts does what they say. */
import type { InferredOptionTypes, Options } from "yargs";
import { computeFlags } from "../compute_flags.ts";
import { tokenizerFlag } from "../tokenizer_flag.ts";

export const modelOptions = {
  model: {
    type: "string",
    alias: ["m", "M"],
    array: true,
    describe:
      "GGUF file, checkpoint (ours, or Hugging Face's of BitNet or Llama), run directory, or http://host:port/v1 of " +
      "an OpenAI-compatible completions server; several are compared",
  },
  model_args: {
    type: "string",
    alias: "a",
    array: true,
    describe:
      "Of a server: tokenizer=PATH (tokenizer.json, folder, GGUF file, or owner/name on the Hugging Face Hub), model, " +
      "max_length, scoring=echo|forced, prompts=ids|text, num_concurrent, batch_size, timeout, max_retries; once for all " +
      "servers, or once for each",
  },
  ...tokenizerFlag,
  ...computeFlags,
  use_cache: {
    type: "string",
    alias: "c",
    describe: "File that keeps every answer: an interrupted run goes on where it was",
  },
} as const satisfies Record<string, Options>;

export type ModelOptions = InferredOptionTypes<typeof modelOptions>;
