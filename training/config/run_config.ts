/**
 * Configuration of a training run: the sections of a recipe, keys in snake_case as on disk.
 * Every number of the recipe is a key here, with its default; `model` has Hugging Face's keys (see model_config.ts).
 */
import { z } from "zod";
import { backwardPrecisionChoices } from "../../src/config/backward_precision.ts";
import { modelConfigSchema } from "../../src/config/model_config.ts";
import { defaultDocumentCount, defaultWorldSeed } from "../../src/world/generator.ts";
import { optimizerSchema } from "../optimizers/registry.ts";
import { scheduleSchema } from "../schedules/registry.ts";
import { count, countOrZero } from "./numbers.ts";

const tokenizerSchema = z.strictObject({
  /** byte: 256 bytes and end-of-text. bpe: byte-level BPE trained on the data. file: an existing tokenizer.json. */
  type: z.enum(["byte", "bpe", "file"]).default("byte"),
  /** Entries of a trained BPE vocabulary, special tokens included. */
  vocab_size: z.number().int().min(257).default(4096),
  /** How text is cut before pairs are merged (bpe). */
  pre_tokenizer: z.enum(["llama3", "gpt2"]).default("llama3"),
  /** Characters of the data that a vocabulary is learnt from, from the beginning (bpe). */
  max_training_characters: count.default(100_000_000),
  /** tokenizer.json, a directory that holds one, or `owner/name` on the Hugging Face Hub (file). */
  path: z.string().optional(),
});

const dataSchema = z.strictObject({
  /** Files, globs and Hugging Face dataset ids, or "world" for the generated world. */
  sources: z.union([z.string(), z.array(z.string())], { error: "expected a text or a list of texts" }).default([]),
  /** Column of JSONL, Parquet and Arrow rows that holds the text. */
  text_field: z.string().default("text"),
  /** Text files are one document each, or are cut into documents at this string. */
  document_separator: z.string().min(1).optional(),
  /** Share of the documents (of the tokens, where there are few documents) kept for validation. */
  validation_fraction: z.number().min(0).max(0.5).default(0.05),
  /** Seed and documents of the generated world. */
  world_seed: countOrZero.default(defaultWorldSeed),
  world_documents: count.default(defaultDocumentCount),
  /** Where token shards are cached; default `~/.cache/bitnet-lab`, or BITNET_CACHE. */
  cache_directory: z.string().optional(),
});

const trainingSchema = z.strictObject({
  /** Weight updates. */
  max_steps: count,
  /** Sequences in one forward and backward pass. */
  batch_size: count.default(16),
  /** Tokens in one sequence. */
  sequence_length: z.number().int().min(2).default(256),
  /** Passes whose gradients are averaged into one update. */
  gradient_accumulation_steps: count.default(1),
  /**
   * How the backward matrix products round the gradients they multiply: not at all, to bfloat16, or stochastically to
   * int8 (needs both quantizers). auto: what the CPU of the run's start multiplies fastest at no cost in loss; the run's
   * config.yaml then names it.
   */
  backward_precision: z.enum(backwardPrecisionChoices).default("auto"),
  /** Less memory for more time: decoder layers keep only their inputs and run again in the backward pass. Same bits. */
  recompute_layers: z.boolean().default(false),
  /** Global L2 norm that gradients are clipped to; 0 for no clipping. */
  max_grad_norm: z.number().nonnegative().default(1),
  /** Seed of the initial weights, the order of the data and the samples. */
  seed: countOrZero.default(0),
  /** Steps between metrics rows. */
  log_every: count.default(10),
  /** Steps between validations; 0 for only the last step. */
  eval_every: countOrZero.default(100),
  /** Validation batches; 0 for all of them. */
  eval_batches: countOrZero.default(16),
  /** Steps between checkpoints; 0 for only the last step. */
  checkpoint_every: countOrZero.default(500),
  /** Newest checkpoints kept. */
  keep_checkpoints: count.default(2),
  /** Steps between samples; 0 for none. */
  sample_every: countOrZero.default(0),
  sample_prompt: z.string().default(""),
  sample_max_tokens: count.default(64),
  sample_temperature: z.number().nonnegative().default(0.8),
  /** Train a shape whose rows no ternary export type can hold. */
  allow_unpackable: z.boolean().default(false),
});

/** Schema of a whole recipe. Strict in every section. */
export const runConfigSchema = z.strictObject({
  model: modelConfigSchema,
  tokenizer: tokenizerSchema.prefault({}),
  data: dataSchema.prefault({}),
  training: trainingSchema,
  optimizer: optimizerSchema.prefault({}),
  schedule: scheduleSchema.prefault({}),
});

/** A resolved recipe: every key with a default present. */
export type RunConfig = z.output<typeof runConfigSchema>;
