/** Flags of `bitnet-eval` that say which model is asked, and how; opening it, with the cache of its answers. */
import type { InferredOptionTypes, Options } from "yargs";
import { AnswerCache } from "../../eval/answer_cache.ts";
import { CachedLanguageModel } from "../../eval/cached_language_model.ts";
import type { LanguageModel } from "../../eval/language_model.ts";
import { checkInteger } from "../command.ts";
import { backendChoices, describeModel, openModel } from "../open_model.ts";
import { modelIdentity } from "./model_identity.ts";

export const modelOptions = {
  model: { type: "string", describe: "GGUF file, checkpoint directory or run directory" },
  threads: { type: "number", describe: "Threads [default: BITNET_THREADS, else all CPUs]" },
  backend: { choices: backendChoices, describe: "tfjs backend of a checkpoint [default: native]" },
  use_cache: {
    type: "string",
    describe: "File that keeps every answer: an interrupted run goes on where it was",
  },
} as const satisfies Record<string, Options>;

export type ModelOptions = InferredOptionTypes<typeof modelOptions>;

/** @throws {UsageError} naming the flag. */
export function checkModelOptions(options: ModelOptions): void {
  checkInteger("threads", options.threads, 1);
}

/** Opens the model and says on stderr what it is, and what the cache holds. */
export async function openEvaluatedModel(source: string, options: ModelOptions): Promise<LanguageModel> {
  // First, because it is quick: a wrong file is no cache.
  const cache = options.use_cache === undefined ? null : await AnswerCache.open(options.use_cache);
  try {
    const model = await openModel(source, options);
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
