/** Models of the Hugging Face Hub, downloaded as far as they are needed: a checkpoint with its tokenizer, or one GGUF file. */
import path from "node:path";
import { DataError } from "./data_error.ts";
import type { HubModelId } from "./hub_model_id.ts";
import { fetchHubFiles, type HubOptions } from "./hub_repository.ts";

const shard = /^model-\d+-of-\d+\.safetensors$/;
const beside = new Set([
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "chat_template.jinja",
]);
const isBeside = (file: string) => beside.has(file) || /^additional_chat_templates\/[^/]+\.jinja$/.test(file);

/** `x-00001-of-00003.gguf`: all parts of it, which the listing must have. */
function partsOf(first: string, files: readonly string[], where: string): string[] {
  const [, stem, count] = /^(.*)-00001-of-(\d{5})\.gguf$/.exec(first) ?? [];
  if (stem === undefined) return [first];
  return Array.from({ length: Number(count) }, (_, i) => {
    const part = `${stem}-${String(i + 1).padStart(5, "0")}-of-${count}.gguf`;
    if (!files.includes(part)) throw new DataError(`${where}: it has no file ${part}`);
    return part;
  });
}

/**
 * The files that are needed of those that a repository has: of a checkpoint, `config.json` first; of a GGUF file, its
 * parts in order. A single `model.safetensors` goes before shards, as for every reader of such folders.
 * @throws {DataError}
 */
export function modelFiles({ name, file }: HubModelId, files: readonly string[]): string[] {
  const where = `model ${name}`;
  if (file !== null) {
    if (!files.includes(file)) throw new DataError(`${where}: it has no file ${file}`);
    return partsOf(file, files, where);
  }
  if (files.includes("config.json")) {
    const weights = files.includes("model.safetensors")
      ? ["model.safetensors"]
      : files.filter((each) => each === "model.safetensors.index.json" || shard.test(each));
    const others = files.filter((each) => each !== "config.json" && isBeside(each));
    if (weights.length > 0) return ["config.json", ...others, ...weights];
  }
  const models = files.filter((each) => /(?:-00001-of-\d{5}|(?<!-\d{5}-of-\d{5}))\.gguf$/.test(each));
  if (models.length === 1) return partsOf(models[0], files, where);
  if (models.length === 0)
    throw new DataError(`${where}: neither config.json with safetensors nor a GGUF file is in it`);
  throw new DataError(`${where} has ${models.length} GGUF files: name one (owner/name:FILE): ${models.join(", ")}`);
}

/**
 * Local path of a model: the folder in the cache of the Hub that holds its checkpoint, or its GGUF file.
 * @throws {DataError} with one line: not found, access denied, unreachable, a wrong hash, no model in it.
 */
export async function fetchHubModel(id: HubModelId, options: HubOptions = {}): Promise<string> {
  const { name, revision } = id;
  const [first] = await fetchHubFiles({ type: "model", name, revision }, (files) => modelFiles(id, files), options);
  return first.endsWith(".gguf") ? first : path.dirname(first);
}
