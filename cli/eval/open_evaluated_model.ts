/** The models that the flags of model_flags.ts name; opening one, with the cache of its answers. */
import { AnswerCache, CachedLanguageModel } from "../../src/eval/index.ts";
import type { LanguageModel } from "../../src/language_model/language_model.ts";
import { describeModel } from "../../src/language_model/model_facts.ts";
import { UsageError } from "../command.ts";
import { checkThreadFlag } from "../compute_flags.ts";
import { modelOfFlags } from "../model_of_flags.ts";
import { sayAside } from "../terminal/say.ts";
import type { ModelOptions } from "./model_flags.ts";
import { isServer, openServerModel, serverArguments } from "./server_model.ts";

/** A model to evaluate. */
export interface ModelSource {
  source: string;
  /** Of a server. */
  args: string | undefined;
}

/** The models that the flags name. @throws {UsageError} naming the flag. */
export function chooseModels(options: ModelOptions): ModelSource[] {
  checkThreadFlag(options.threads);
  const sources = options.model ?? [];
  if (sources.length === 0) throw new UsageError("--model is missing: a GGUF file, a checkpoint, a run or a server");
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
    const model = isServer(source)
      ? await openServerModel(source, args, signal)
      : await modelOfFlags(source, { ...options, signal });
    sayAside(describeModel(model));
    if (cache === null) return model;
    for (const warning of cache.warnings) sayAside(warning);
    if (cache.size > 0) console.error(`${cache.file}: ${cache.size} answers in the cache`);
    return new CachedLanguageModel(model, cache, await model.facts.identity());
  } catch (error) {
    cache?.close();
    throw error;
  }
}
