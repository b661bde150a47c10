/**
 * Opens `--model http://...`: its tokenizer comes from a tokenizer.json, a folder with one, the GGUF file served, or the Hub.
 */

import { localTokenizer } from "../../src/data/hub_tokenizer.ts";
import { readGgufMetadata } from "../../src/gguf/gguf_reader.ts";
import type { LanguageModel } from "../../src/language_model/language_model.ts";
import {
  ModelArgsError,
  openCompletionsModel,
  parseServerArguments,
} from "../../src/language_model/server/open_completions_model.ts";
import { servedShape } from "../../src/language_model/server/served_shape.ts";
import { loadTokenizer } from "../../src/tokenizer/load_tokenizer.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
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

async function ggufTokenizer(file: string): Promise<Tokenizer> {
  const { tokenizerOf } = await import("../../src/gguf/gguf_tokenizer.ts");
  const entries = await readGgufMetadata(file);
  const metadata = new Map<string, string | number | boolean>();
  for (const [key, entry] of entries) if (entry.type !== "array") metadata.set(key, entry.value);
  const json = metadata.get("tokenizer.huggingface.json");
  return tokenizerOf({
    path: file,
    metadata,
    tokenizerJson: typeof json === "string" ? json : null,
    metadataArray: (key) => {
      const entry = entries.get(key);
      return entry?.type === "array" ? [...entry.value] : undefined;
    },
  });
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
  const settings = serverArguments(args);
  const file = await localTokenizer(settings.tokenizer);
  const tokenizer = file.endsWith(".gguf") ? await ggufTokenizer(file) : loadTokenizer(file);
  const served = await servedShape(file);
  const options = { served, apiKey: process.env.OPENAI_API_KEY, onRetry: (message: string) => console.error(message) };
  return openCompletionsModel(url, settings, tokenizer, options, signal);
}
