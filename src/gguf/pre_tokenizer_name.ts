/**
 * llama.cpp knows pre-tokenizers by name (`tokenizer.ggml.pre`) and has their patterns compiled in. This finds the
 * name of a tokenizer.json's pre-tokenizer by its structure and pattern.
 */
import { llama3Pattern } from "../tokenizer/split_pattern.ts";
import { isBpe, type PreTokenizerJson, type TokenizerJson } from "../tokenizer/tokenizer_json.ts";

/** Split patterns, and the names llama.cpp has for them. Qwen2 splits off single digits where LLaMA-3 takes three. */
const namesByPattern = new Map([
  [llama3Pattern, "llama-bpe"],
  [llama3Pattern.replace("\\p{N}{1,3}", "\\p{N}"), "qwen2"],
]);

/** Name for `tokenizer.ggml.pre`; null if llama.cpp has none: it would split text in other places than training did. */
export function preTokenizerName(json: TokenizerJson): string | null {
  if (json.normalizer || !isBpe(json)) return null;
  // Without merges every byte is a token of its own, wherever text is split.
  if (json.model.merges.length === 0) return "gpt-2";
  const steps = flatten(json.pre_tokenizer);
  const bytes = steps.at(-1);
  if (bytes?.type !== "ByteLevel" || (bytes.add_prefix_space ?? true)) return null;
  const before = steps.slice(0, -1);
  if (bytes.use_regex ?? true) {
    if (before.length === 0) return "gpt-2";
    const [digits] = before;
    return before.length === 1 && digits.type === "Digits" && digits.individual_digits === true ? "smollm" : null;
  }
  const [split] = before;
  if (before.length !== 1 || split.type !== "Split" || split.behavior !== "Isolated" || split.invert) return null;
  return namesByPattern.get(split.pattern?.Regex ?? "") ?? null;
}

/** Nested sequences as one list of steps. */
function flatten(preTokenizer: PreTokenizerJson | null | undefined): PreTokenizerJson[] {
  if (!preTokenizer) return [];
  return preTokenizer.type === "Sequence" ? (preTokenizer.pretokenizers ?? []).flatMap(flatten) : [preTokenizer];
}
