/** What tokenizer.json, tokenizer_config.json and the templates of a folder say, without building the tokenizer. */
import { chatTemplates } from "../tokenizer/chat_templates.ts";
import type { TokenizerFacts } from "./model_facts.ts";
import { jsonOf, type ModelFolder, textOf } from "./model_folder.ts";

type Json = Record<string, unknown>;

export async function folderTokenizer(folder: ModelFolder): Promise<TokenizerFacts | null> {
  const json = await jsonOf(folder, "tokenizer.json");
  const config = await jsonOf(folder, "tokenizer_config.json");
  if (json === null && config === null) return null;
  const model = (json?.model ?? {}) as Json;
  const ids = vocabularyIds(json);
  const templates = new Map(chatTemplates(config));
  const file = await textOf(folder, "chat_template.jinja");
  if (file !== null) templates.set("default", file);
  const idOf = (key: string) => {
    const token = config?.[key] as string | { content?: string } | null | undefined;
    const content = typeof token === "object" ? token?.content : token;
    return content === undefined || content === null ? null : (ids.get(content) ?? null);
  };
  return {
    model: typeof model.type === "string" ? model.type : null,
    pre: null,
    tokens: ids.size === 0 ? null : ids.size,
    bos: idOf("bos_token"),
    eos: idOf("eos_token"),
    chatTemplates: [...templates.keys()],
    chatTemplate: templates.get("default") ?? null,
    hasJson: json !== null,
  };
}

/** Ids of all tokens, the added ones too. */
function vocabularyIds(json: Json | null): Map<string, number> {
  const { vocab } = (json?.model ?? {}) as Json;
  // Unigram has a list of [token, score].
  const entries: [string, number][] = Array.isArray(vocab)
    ? vocab.map((entry, id) => [String((entry as unknown[])[0]), id])
    : Object.entries((vocab ?? {}) as Record<string, number>);
  const ids = new Map(entries);
  for (const { id, content } of (json?.added_tokens ?? []) as { id: number; content: string }[]) ids.set(content, id);
  return ids;
}
