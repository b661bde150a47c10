/**
 * Opens the model of a server with what its files tell: the tokenizer comes from a tokenizer.json, a folder with one, the
 * GGUF file served, or the Hub, and the model's shape from the same place.
 */
import { localTokenizer } from "../../data/hub_tokenizer.ts";
import { openTokenizer } from "../../gguf/file_tokenizer.ts";
import type { CompletionsLanguageModel } from "./completions_language_model.ts";
import { type ConnectionOptions, openCompletionsModel, type ServerArguments } from "./open_completions_model.ts";
import { servedShape } from "./served_shape.ts";

/** @throws {ServerError}, or what is wrong with the tokenizer's file. */
export async function openServedModel(
  url: string,
  settings: ServerArguments,
  connection: Omit<ConnectionOptions, "served"> = {},
  signal?: AbortSignal,
): Promise<CompletionsLanguageModel> {
  const file = await localTokenizer(settings.tokenizer);
  const tokenizer = await openTokenizer(file);
  const served = await servedShape(file);
  return openCompletionsModel(url, settings, tokenizer, { ...connection, served }, signal);
}
