/** Chat templates among the metadata of a GGUF file: `tokenizer.chat_template`, and `tokenizer.chat_template.NAME`. */
import { chatTemplates } from "../tokenizer/chat_templates.ts";
import type { GgufValue } from "./gguf_types.ts";

const key = "tokenizer.chat_template";
const namesKey = "tokenizer.chat_templates";

/** Entries for the templates of tokenizer_config.json. llama.cpp's tools have only letters and digits in names. */
export function chatTemplateEntries(config: Record<string, unknown> | null): [string, GgufValue][] {
  const entries: [string, GgufValue][] = [];
  const names: string[] = [];
  for (const [template, value] of chatTemplates(config)) {
    const name = template.replace(/[^A-Za-z0-9]/g, "_");
    if (template !== "default") names.push(name);
    entries.push([template === "default" ? key : `${key}.${name}`, { type: "string", value }]);
  }
  if (names.length > 0) entries.push([namesKey, { type: "array", of: "string", value: names }]);
  return entries;
}

/** The templates of a file by name: those of its keys, and others of the tokenizer_config.json inside. */
export function chatTemplatesOfFile(
  metadata: ReadonlyMap<string, string | number | boolean>,
  config: Record<string, unknown> | null,
): ReadonlyMap<string, string> {
  const templates = new Map(chatTemplates(config));
  for (const [name, value] of metadata) {
    if (typeof value !== "string") continue;
    if (name === key) templates.set("default", value);
    else if (name.startsWith(`${key}.`)) templates.set(name.slice(key.length + 1), value);
  }
  return templates;
}
