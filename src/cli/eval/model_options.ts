/** Flags of `bitnet-eval` that say which model is asked, and how; opening it, with the cache of its answers. */
import type { InferredOptionTypes, Options } from "yargs";
import { AnswerCache } from "../../eval/answer_cache.ts";
import { CachedLanguageModel } from "../../eval/cached_language_model.ts";
import type { LanguageModel } from "../../eval/language_model.ts";
import { checkInteger, UsageError } from "../command.ts";
import { backendChoices, describeModel, openModel } from "../open_model.ts";
import { modelIdentity } from "./model_identity.ts";
import { isServer, openServerModel, serverArguments } from "./server_model.ts";

export const modelOptions = {
  model: {
    type: "string",
    array: true,
    describe:
      "GGUF file, checkpoint (ours, or Hugging Face's of BitNet or Llama), run directory, or http://host:port/v1 of " +
      "an OpenAI-compatible completions server; several are compared",
  },
  model_args: {
    type: "string",
    array: true,
    describe:
      "Of a server: tokenizer=PATH (tokenizer.json, folder or GGUF file), model, max_length, scoring=echo|forced, " +
      "prompts=ids|text, num_concurrent, batch_size, timeout, max_retries; once for all servers, or once for each",
  },
  threads: { type: "number", describe: "Threads [default: BITNET_THREADS, else all CPUs]" },
  backend: { choices: backendChoices, describe: "tfjs backend of a checkpoint [default: native]" },
  use_cache: {
    type: "string",
    describe: "File that keeps every answer: an interrupted run goes on where it was",
  },
} as const satisfies Record<string, Options>;

export type ModelOptions = InferredOptionTypes<typeof modelOptions>;

/** A model to evaluate. */
export interface ModelSource {
  source: string;
  /** Of a server. */
  args: string | undefined;
}

/** The models that the flags name. @throws {UsageError} naming the flag. */
export function chooseModels(options: ModelOptions): ModelSource[] {
  checkInteger("threads", options.threads, 1);
  const sources = options.model ?? [];
  if (sources.length === 0) throw new UsageError("Missing required argument: model");
  if (new Set(sources).size < sources.length) throw new UsageError("--model: the same model is given twice");
  const args = options.model_args ?? [];
  const servers = sources.filter(isServer);
  if (args.length > 1 && args.length !== servers.length) {
    throw new UsageError(`--model_args is given ${args.length} times for ${servers.length} servers`);
  }
  if (args.length > 0 && servers.length === 0)
    throw new UsageError("--model_args is for a server (--model http://...)");
  return sources.map((source) => {
    if (!isServer(source)) return { source, args: undefined };
    const own = args.length > 1 ? args[servers.indexOf(source)] : args[0];
    serverArguments(own);
    return { source, args: own };
  });
}

/** Opens the model and says on stderr what it is, and what the cache holds. */
export async function openEvaluatedModel(
  { source, args }: ModelSource,
  options: ModelOptions,
  signal: AbortSignal,
): Promise<LanguageModel> {
  // First, because it is quick: a wrong file is no cache.
  const cache = options.use_cache === undefined ? null : await AnswerCache.open(options.use_cache);
  try {
    const model = isServer(source) ? await openServerModel(source, args, signal) : await openModel(source, options);
    console.error(describeModel(model));
    if (cache === null) return model;
    for (const warning of cache.warnings) console.error(warning);
    if (cache.size > 0) console.error(`${cache.file}: ${cache.size} answers in the cache`);
    return new CachedLanguageModel(model, cache, await modelIdentity(source, model));
  } catch (error) {
    cache?.close();
    throw error;
  }
}
