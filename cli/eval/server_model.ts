/** Opens `--model http://...` by `--model_args`. */
import type { LanguageModel } from "../../src/language_model/language_model.ts";
import { ModelArgsError, parseServerArguments } from "../../src/language_model/server/open_completions_model.ts";
import { openServedModel } from "../../src/language_model/server/open_served_model.ts";
import { UsageError } from "../command.ts";

export function isServer(source: string): boolean {
  return /^https?:\/\//.test(source);
}

/** @throws {UsageError} naming the key. */
export function serverArguments(text: string | undefined) {
  try {
    return parseServerArguments(text ?? "");
  } catch (error) {
    if (error instanceof ModelArgsError) throw new UsageError(`--model_args: ${error.message}`);
    throw error;
  }
}

/**
 * @param args of `--model_args`
 * @throws {UsageError} for wrong arguments; otherwise what the server or the tokenizer's file makes wrong.
 */
export async function openServerModel(
  url: string,
  args: string | undefined,
  signal?: AbortSignal,
): Promise<LanguageModel> {
  const connection = { apiKey: process.env.OPENAI_API_KEY, onRetry: (message: string) => console.error(message) };
  return openServedModel(url, serverArguments(args), connection, signal);
}
