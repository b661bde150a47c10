/** Facts about a tokenizer that come from its two JSON files and not from how it encodes. */
import { createHash } from "node:crypto";
import type { AddedTokenJson, PostProcessorJson, TokenizerJson } from "./tokenizer_json.ts";

/** JSON with sorted keys: equal for files that differ only in order and white space. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${canonicalJson(entry)}`).join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}

/** SHA-256 of the canonical JSON, in hex. */
export function hashJson(json: unknown): string {
  return createHash("sha256").update(canonicalJson(json)).digest("hex");
}

/** One more than the largest id of the vocabulary and the added tokens. */
export function countIds(json: TokenizerJson): number {
  let largest = -1;
  for (const id of Object.values(json.model.vocab)) if (id > largest) largest = id;
  for (const token of json.added_tokens ?? []) if (token.id > largest) largest = token.id;
  return largest + 1;
}

/** Ids that the post-processor puts around a single sequence; null if it is of a kind that is not covered. */
export function templateOf(
  processor: PostProcessorJson | null | undefined,
): { before: number[]; after: number[] } | null {
  const template = { before: [] as number[], after: [] as number[] };
  if (!processor || processor.type === "ByteLevel") return template;
  if (processor.type === "Sequence") {
    for (const entry of processor.processors ?? []) {
      const inner = templateOf(entry);
      if (!inner) return null;
      template.before.unshift(...inner.before);
      template.after.push(...inner.after);
    }
    return template;
  }
  if (processor.type !== "TemplateProcessing") return null;
  let side = template.before;
  for (const piece of processor.single ?? []) {
    if ("Sequence" in piece) side = template.after;
    else side.push(...(processor.special_tokens?.[piece.SpecialToken.id]?.ids ?? []));
  }
  return template;
}

/** Names that published models give their end-of-text and begin-of-text tokens, most specific first. */
const eosNames = ["<|end_of_text|>", "<|endoftext|>", "</s>", "<|eot_id|>", "<eos>", "<|im_end|>"];
const bosNames = ["<|begin_of_text|>", "<s>", "<bos>", "<|startoftext|>"];

/**
 * Id of the `bos_token` / `eos_token` that `config` names (a string, or an object with `content`); without such an
 * entry, that of a special token with a customary name; null if there is none.
 */
export function namedTokenId(
  key: "bos_token" | "eos_token",
  json: TokenizerJson,
  config: Record<string, unknown> | null,
): number | null {
  const entry = config?.[key];
  const configured = typeof entry === "string" ? entry : (entry as { content?: string } | null | undefined)?.content;
  const idOf = (content: string): number | null =>
    json.added_tokens?.find((token: AddedTokenJson) => token.content === content)?.id ??
    json.model.vocab[content] ??
    null;
  if (typeof configured === "string") return idOf(configured);
  if (config && entry === null) return null;
  const special = (json.added_tokens ?? []).filter((token) => token.special).map((token) => token.content);
  const name = (key === "eos_token" ? eosNames : bosNames).find((candidate) => special.includes(candidate));
  return name === undefined ? null : idOf(name);
}
