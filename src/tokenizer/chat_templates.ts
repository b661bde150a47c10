/** Which chat templates a tokenizer has: one, or several by name, of which one may be "default". */
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { readTextFile } from "../files/text_file.ts";
import { ChatTemplateError } from "./chat_template_error.ts";

const defaultName = "default";

/**
 * Jinja text by name. `chat_template` of tokenizer_config.json is a text, a list of { name, template }, or an object of
 * texts by name.
 */
export function chatTemplates(config: Record<string, unknown> | null): ReadonlyMap<string, string> {
  const entry = config?.chat_template;
  if (typeof entry === "string") return new Map([[defaultName, entry]]);
  if (entry === null || typeof entry !== "object") return new Map();
  const entries = Array.isArray(entry)
    ? entry.map((named): [unknown, unknown] => [named?.name, named?.template])
    : Object.entries(entry);
  const templates = new Map<string, string>();
  for (const [name, text] of entries) {
    if (typeof name === "string" && typeof text === "string") templates.set(name, text);
  }
  return templates;
}

/**
 * The template of that name; without a name, the default one.
 * @param origin for messages: what has the templates
 * @throws {ChatTemplateError} that names those there are.
 */
export function chooseChatTemplate(
  templates: ReadonlyMap<string, string>,
  name: string | undefined,
  origin = "the tokenizer",
): string {
  const template = templates.get(name ?? defaultName);
  if (template !== undefined) return template;
  if (templates.size === 0) throw new ChatTemplateError(`${origin} has no chat template`);
  const names = [...templates.keys()].join(", ");
  throw new ChatTemplateError(
    name === undefined
      ? `${origin} has several chat templates and no default: name one of ${names}`
      : `${origin} has no chat template "${name}" (it has ${names})`,
  );
}

/**
 * The templates that lie in files beside a tokenizer, as transformers has kept them since version 4.52: they win over
 * those in tokenizer_config.json. In the form of its `chat_template`; null if there are none.
 */
export function readTemplateFiles(folder: string): string | { name: string; template: string }[] | null {
  const single = path.join(folder, "chat_template.jinja");
  const several = path.join(folder, "additional_chat_templates");
  const templates = existsSync(single) ? [{ name: defaultName, template: readTextFile(single) }] : [];
  const files = existsSync(several) ? readdirSync(several).sort() : [];
  for (const file of files.filter((name) => name.endsWith(".jinja"))) {
    templates.push({ name: path.basename(file, ".jinja"), template: readTextFile(path.join(several, file)) });
  }
  if (templates.length === 0) return null;
  return templates.length === 1 && templates[0].name === defaultName ? templates[0].template : templates;
}
