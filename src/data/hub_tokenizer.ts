/** Tokenizers of models on the Hugging Face Hub. */
import { existsSync } from "node:fs";
import path from "node:path";
import { DataError } from "./data_error.ts";
import type { HubOptions } from "./hub_repository.ts";
import { askedInstead } from "./mistaken_path.ts";

/** The tokenizer, its chat template, and the shape of the model that it belongs to. */
const wanted = new Set(["tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "config.json"]);

/** `owner/name` or `owner/name@revision`. */
const modelId = /^([A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*)(?:@([^:\s]+))?$/;

/**
 * Local path of a tokenizer: `source` itself, or, where nothing lies there and it is the id of a model, the folder in the
 * cache of the Hub that holds its tokenizer.json, downloaded if need be.
 * @throws {DataError} with one line: not found, access denied, unreachable, no tokenizer.json in it.
 */
export async function localTokenizer(source: string, options: HubOptions = {}): Promise<string> {
  const id = modelId.exec(source);
  if (id === null || existsSync(source) || /\.(json|gguf)$/.test(source)) return source;
  const [, name, revision = "main"] = id;
  // Its library is loaded only for this.
  const { cachedOrFetched, fetchHubFiles } = await import("./hub_repository.ts");
  const select = (files: string[]) => {
    if (!files.includes("tokenizer.json")) throw new DataError(`model ${name}: it has no tokenizer.json`);
    return files.filter((file) => wanted.has(file) || /^additional_chat_templates\/[^/]+\.jinja$/.test(file));
  };
  const fetch = (given: HubOptions) => fetchHubFiles({ type: "model", name, revision }, select, given);
  const files = await askedInstead(source, () => cachedOrFetched(fetch, options));
  return path.dirname(files.find((file) => path.basename(file) === "tokenizer.json")!);
}
