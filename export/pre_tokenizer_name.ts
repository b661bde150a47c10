/**
 * llama.cpp knows pre-tokenizers by name (`tokenizer.ggml.pre`) and has their patterns compiled in. This finds the
 * name of a tokenizer.json's pre-tokenizer by its structure and pattern.
 */

/** A part of tokenizer.json, as parsed. */
type Json = Record<string, unknown>;

/** Split patterns, and the names llama.cpp has for them. */
const namesByPattern = new Map([
  [
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    "llama-bpe",
  ],
  [
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    "qwen2",
  ],
]);

/**
 * Name for `tokenizer.ggml.pre`, or null if llama.cpp has none: it would split text in other places than training did.
 * @param json the whole tokenizer.json; its model is BPE.
 */
export function preTokenizerName(json: Json): string | null {
  if (json.normalizer) return null;
  const steps = flatten(json.pre_tokenizer as Json | null);
  // Without merges every byte is a token of its own, wherever text is split.
  const merges = (json.model as Json).merges as unknown[] | undefined;
  if (!merges?.length) return "gpt-2";
  const bytes = steps.at(-1);
  if (bytes?.type !== "ByteLevel" || bytes.add_prefix_space === true) return null;
  const before = steps.slice(0, -1);
  if (bytes.use_regex !== false) {
    if (before.length === 0) return "gpt-2";
    const [digits] = before;
    return before.length === 1 && digits.type === "Digits" && digits.individual_digits === true ? "smollm" : null;
  }
  const [split] = before;
  if (before.length !== 1 || split.type !== "Split" || split.behavior !== "Isolated" || split.invert === true)
    return null;
  const pattern = (split.pattern as Json | undefined)?.Regex;
  return typeof pattern === "string" ? (namesByPattern.get(pattern) ?? null) : null;
}

function flatten(preTokenizer: Json | null | undefined): Json[] {
  if (!preTokenizer) return [];
  if (preTokenizer.type !== "Sequence") return [preTokenizer];
  return (preTokenizer.pretokenizers as Json[]).flatMap(flatten);
}
