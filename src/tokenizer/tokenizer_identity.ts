/** Facts about a tokenizer that come from its two JSON files and not from how it encodes. */
import { createHash } from "node:crypto";
import { type AddedTokenJson, type PostProcessorJson, TokenizerError } from "./tokenizer_json.ts";

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

/**
 * Ids that the post-processor puts around a single sequence.
 * @throws {TokenizerError} if it is of a kind that is not known, or names a token without an id.
 */
export function templateOf(processor: PostProcessorJson | null | undefined): { before: number[]; after: number[] } {
  const template = { before: [] as number[], after: [] as number[] };
  if (!processor || processor.type === "ByteLevel") return template;
  switch (processor.type) {
    case "Sequence":
      for (const entry of processor.processors ?? []) {
        const inner = templateOf(entry);
        template.before = [...inner.before, ...template.before];
        template.after = [...template.after, ...inner.after];
      }
      return template;
    case "BertProcessing":
    case "RobertaProcessing":
      if (!processor.cls || !processor.sep) throw new TokenizerError(`its ${processor.type} lacks cls or sep`);
      return { before: [processor.cls[1]], after: [processor.sep[1]] };
    case "TemplateProcessing":
      return templateOfPieces(processor);
    default:
      throw new TokenizerError(`the tokenizer has a post_processor ${processor.type}, which is not known`);
  }
}

function templateOfPieces(processor: PostProcessorJson): { before: number[]; after: number[] } {
  const template = { before: [] as number[], after: [] as number[] };
  let side = template.before;
  for (const piece of processor.single ?? []) {
    if ("Sequence" in piece) {
      if (side === template.after) throw new TokenizerError("the tokenizer's template has the text twice");
      side = template.after;
      continue;
    }
    const ids = processor.special_tokens?.[piece.SpecialToken.id]?.ids;
    if (!ids) throw new TokenizerError(`the tokenizer's template names ${piece.SpecialToken.id}, which has no id`);
    for (const id of ids) side.push(id);
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
  ids: ReadonlyMap<string, number>,
  added: readonly AddedTokenJson[],
  config: Record<string, unknown> | null,
): number | null {
  const entry = config?.[key];
  const configured = typeof entry === "string" ? entry : (entry as { content?: string } | null | undefined)?.content;
  if (typeof configured === "string") return ids.get(configured) ?? null;
  if (config && entry === null) return null;
  const special = added.filter((token) => token.special).map((token) => token.content);
  const name = (key === "eos_token" ? eosNames : bosNames).find((candidate) => special.includes(candidate));
  return name === undefined ? null : (ids.get(name) ?? null);
}
