/** Opens a `tokenizer.json`, from disk or from memory. */
import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { systemErrorText } from "../errors/system_error.ts";
import { readTemplateFiles } from "./chat_templates.ts";
import { JsonTokenizer } from "./json_tokenizer.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { TokenizerError, type TokenizerJson } from "./tokenizer_json.ts";

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new TokenizerError(`${file}: ${systemErrorText(error)}`);
  }
}

function parseObject(text: string, origin: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TokenizerError(`${origin}: not valid JSON: ${(error as Error).message}`);
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new TokenizerError(`${origin}: not a JSON object`);
  }
  return value as Record<string, unknown>;
}

/** Object, JSON text (starts with a brace) or file path -> object. */
function resolveJson(source: string | object, origin: string): Record<string, unknown> {
  if (typeof source !== "string") return source as Record<string, unknown>;
  return source.trimStart().startsWith("{") ? parseObject(source, origin) : parseObject(readText(source), source);
}

/**
 * Loads a tokenizer.
 * @param tokenizerJson path of a `tokenizer.json`, of a folder that holds one, its text, or the parsed object.
 * @param tokenizerConfig the same for `tokenizer_config.json`; when left out and `tokenizerJson` is a path, the
 *   file beside it is used if there is one. So are `chat_template.jinja` and `additional_chat_templates/NAME.jinja`,
 *   which win over what `tokenizer_config.json` has.
 * @throws {TokenizerError} with one line that names the file.
 */
export function loadTokenizer(tokenizerJson: string | object, tokenizerConfig?: string | object | null): Tokenizer {
  let source = tokenizerJson;
  let config = tokenizerConfig;
  let folder: string | null = null;
  if (typeof source === "string" && !source.trimStart().startsWith("{")) {
    if (existsSync(source) && statSync(source).isDirectory()) source = path.join(source, "tokenizer.json");
    const beside = path.join(path.dirname(source), "tokenizer_config.json");
    if (config === undefined && existsSync(beside)) config = beside;
    if (tokenizerConfig === undefined) folder = path.dirname(source);
  }
  const origin = typeof source === "string" && !source.trimStart().startsWith("{") ? source : "tokenizer.json";
  const json = resolveJson(source, "tokenizer.json") as unknown as TokenizerJson;
  if (json.model === null || typeof json.model !== "object" || typeof json.model.vocab !== "object") {
    throw new TokenizerError(`${origin}: no model with a vocabulary in it`);
  }
  let resolvedConfig = config === undefined || config === null ? null : resolveJson(config, "tokenizer_config.json");
  const templates = folder === null ? null : readTemplateFiles(folder);
  if (templates !== null) resolvedConfig = { ...resolvedConfig, chat_template: templates };
  return new JsonTokenizer(json, resolvedConfig);
}
