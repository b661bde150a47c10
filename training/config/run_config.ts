/**
 * Configuration of a training run: the sections of a recipe, keys in snake_case as on disk.
 * Every number of the recipe is a key here, with its default; `model` has Hugging Face's keys (see model_config.ts).
 * The descriptions become docs/configuration.md (`npm run docs:configuration`).
 */
import { z } from "zod";
import { backwardPrecisionChoices } from "../../src/config/backward_precision.ts";
import { modelConfigSchema } from "../../src/config/model_config.ts";
import { defaultDocumentCount, defaultWorldSeed } from "../../src/world/generator.ts";
import { lossSchema } from "../losses/registry.ts";
import { optimizerSchema } from "../optimizers/registry.ts";
import { scheduleSchema } from "../schedules/registry.ts";
import { telemetrySchema } from "../telemetry/telemetry_options.ts";
import { beta, count, countOrZero, nonnegative } from "./numbers.ts";
import { quantizationSchema } from "./quantization.ts";

const tokenizerSchema = z
  .strictObject({
    type: z
      .enum(["byte", "bpe", "file", "checkpoint"])
      .default("byte")
      .describe(
        "`byte`: 256 bytes and end-of-text. `bpe`: byte-level BPE trained on the data. `file`: an existing one. " +
          "`checkpoint`: that of `init_from`, and the default with it.",
      ),
    vocab_size: z
      .number()
      .int()
      .min(257)
      .default(4096)
      .describe("Entries of a trained vocabulary, special tokens included (`bpe`)."),
    pre_tokenizer: z
      .enum(["llama3", "gpt2"])
      .default("llama3")
      .describe("How text is cut before pairs are merged (`bpe`)."),
    max_training_characters: count
      .default(100_000_000)
      .describe("Characters of the data that a vocabulary is learnt from, from the beginning (`bpe`)."),
    path: z
      .string()
      .optional()
      .describe("`tokenizer.json`, a directory that holds one, or `owner/name` on the Hugging Face Hub (`file`)."),
  })
  .describe("How text becomes ids.");

const dataSchema = z
  .strictObject({
    sources: z
      .union([z.string(), z.array(z.string())], { error: "expected a text or a list of texts" })
      .default([])
      .describe(
        "Files, folders, globs and Hugging Face dataset ids, `world`, the generated world, `probe:addition?digits=3` and other " +
          "synthetic probes, or `-`, standard input; or `--data`.",
      ),
    text_field: z
      .string()
      .default("text")
      .describe("Field of rows that holds the text, or the path to it (`meta.text`)."),
    document_separator: z
      .string()
      .min(1)
      .optional()
      .describe("Cuts a text file into documents, line breaks of any system; without it, a file is one document."),
    validation_fraction: z
      .number()
      .min(0)
      .max(0.5)
      .default(0.05)
      .describe("Share of the documents (of the tokens, where there are few documents) kept for validation."),
    world_seed: countOrZero.default(defaultWorldSeed).describe("Seed of the generated world."),
    world_documents: count.default(defaultDocumentCount).describe("Documents of the generated world."),
    cache_directory: z
      .string()
      .optional()
      .describe("Where token shards are cached; by default `BITNET_CACHE`, or `~/.cache/bitnet-lab`."),
  })
  .describe("What a model is trained on.");

const trainingSchema = z
  .strictObject({
    max_steps: count.describe("Weight updates."),
    batch_size: count.default(16).describe("Sequences in one forward and backward pass."),
    sequence_length: z.number().int().min(2).default(256).describe("Tokens in one sequence."),
    gradient_accumulation_steps: count
      .default(1)
      .describe("Passes whose gradients are averaged into one update: a larger batch in the same memory."),
    backward_precision: z
      .enum(backwardPrecisionChoices)
      .default("auto")
      .describe(
        "How the backward matrix products round the gradients that they multiply: not at all, to bfloat16, or " +
          "stochastically to int8 (needs both quantizers). `auto`: what the CPU of the run's start multiplies fastest " +
          "at no cost in loss; the run's config.yaml then names it.",
      ),
    recompute_layers: z
      .boolean()
      .default(false)
      .describe(
        "Less memory for more time: decoder layers keep only their inputs and run again in the backward pass. Same bits.",
      ),
    dropout: beta
      .default(0)
      .describe("Share of the values of residual branches and of the embedding that a training pass sets to 0."),
    max_grad_norm: nonnegative.default(1).describe("Global L2 norm that gradients are clipped to; 0 for no clipping."),
    seed: countOrZero.default(0).describe("Seed of the initial weights, the order of the data and the samples."),
    ema_decay: beta
      .default(0)
      .describe(
        "Decay of a moving average of the weights, whose validation loss is told as `val_loss_ema`: a measurement, nothing is " +
          "exported from it; 0 for none.",
      ),
    log_every: count.default(10).describe("Steps between rows of metrics.jsonl."),
    eval_every: countOrZero.default(100).describe("Steps between validations; 0 for only the last step."),
    eval_batches: countOrZero.default(16).describe("Validation batches; 0 for all of them."),
    checkpoint_every: countOrZero.default(500).describe("Steps between checkpoints; 0 for only the last step."),
    keep_checkpoints: count.default(2).describe("Newest checkpoints kept."),
    sample_every: countOrZero.default(0).describe("Steps between samples; 0 for none."),
    sample_prompt: z.string().default("").describe("What samples continue; without it they begin a document."),
    sample_max_tokens: count.default(64).describe("Tokens of a sample."),
    sample_temperature: nonnegative.default(0.8).describe("Temperature of samples; 0 takes the likeliest token."),
    allow_unpackable: z.boolean().default(false).describe("Train a shape whose rows no ternary export type can hold."),
  })
  .describe("How long, in which pieces, and what is written on the way.");

const words = z.string().min(1).optional();
const listOfWords = z.array(z.string().min(1)).optional();

const aboutSchema = z
  .strictObject({
    author: words.describe("Who makes the model."),
    organization: words.describe("For whom."),
    version: words.describe("Of the model, `1.0`."),
    license: words.describe("Its terms, best as an SPDX identifier: `mit`, `apache-2.0`."),
    description: words.describe("What it is; without it, files say how it was trained."),
    url: words.describe("Where to read on."),
    tags: listOfWords.describe("Words that it is found by."),
    languages: listOfWords.describe("Codes of its languages: `[en, de]`."),
  })
  .describe("For people, in the files that are exported: nothing of it changes the training.");

/** Schema of a whole recipe. Strict in every section. */
export const runConfigSchema = z.strictObject({
  model: modelConfigSchema,
  tokenizer: tokenizerSchema.prefault({}),
  data: dataSchema.prefault({}),
  training: trainingSchema,
  loss: lossSchema.prefault({}),
  optimizer: optimizerSchema.prefault({}).describe("What turns gradients into new weights."),
  schedule: scheduleSchema.prefault({}).describe("Learning rate and weight decay over the run."),
  quantization: quantizationSchema.prefault({}),
  telemetry: telemetrySchema.prefault({}),
  about: aboutSchema.prefault({}),
  /** A key of its own, beside the sections. */
  init_from: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Model whose weights a run begins with: a run, a checkpoint, a Hugging Face folder, a GGUF file or one of the Hub.",
    ),
});

/** A resolved recipe: every key with a default present. */
export type RunConfig = z.output<typeof runConfigSchema>;
