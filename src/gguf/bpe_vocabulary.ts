/** A byte-level BPE vocabulary of a GGUF file as tokenizer.json. */
import type { PreTokenizerJson, TokenizerJson } from "../tokenizer/tokenizer_json.ts";
import { type NamedPreTokenizer, namedPreTokenizers } from "./pre_tokenizers.ts";
import { addedTokensOf, bosTemplate, type Vocabulary } from "./vocabulary.ts";

/** Special tokens that only LLaMA-3's vocabulary has together. */
const llama3Tokens = ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"];

function preTokenizerOf({ text, tokens, fail }: Vocabulary): NamedPreTokenizer {
  const name = text("pre");
  // bitnet.cpp's official 2B4T file leaves the key out. Its vocabulary is LLaMA-3's, and so is the way it was trained.
  const isLlama3 = name === null && llama3Tokens.every((token) => tokens.includes(token));
  return (
    namedPreTokenizers.get(isLlama3 ? "llama-bpe" : (name ?? "default")) ??
    fail(`its tokenizer.ggml.pre is ${name}, which is not known`)
  );
}

function splitJson(patterns: readonly string[]): PreTokenizerJson {
  const splits = patterns.map((Regex) => ({ type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false }));
  const bytes = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };
  return { type: "Sequence", pretokenizers: [...splits, bytes] };
}

/** @throws {GgufError} if its pre-tokenizer is not known, or a merge is not of tokens. */
export function byteBpeOfVocabulary(vocabulary: Vocabulary): TokenizerJson {
  const { tokens, bosId, fail } = vocabulary;
  const merges = vocabulary.array("merges");
  const pre = preTokenizerOf(vocabulary);
  const vocab = Object.fromEntries(tokens.map((text, id) => [text, id]));
  const known = new Set(tokens);
  const pairs = merges.map((merge, i): [string, string] => {
    const text = String(merge);
    const space = text.indexOf(" ", 1);
    const [left, right] = [text.slice(0, Math.max(space, 0)), text.slice(space + 1)];
    if (known.has(left) && known.has(right) && known.has(left + right)) return [left, right];
    return fail(
      `entry ${i} of its tokenizer.ggml.merges, ${JSON.stringify(merge)}, is no pair of tokens that make one`,
    );
  });
  const addsBos = vocabulary.flag("add_bos_token", pre.addsBos ?? false);
  return {
    added_tokens: addedTokensOf(vocabulary),
    normalizer: null,
    pre_tokenizer: splitJson(pre.patterns),
    post_processor: addsBos && bosId !== null ? bosTemplate(bosId, tokens[bosId]) : null,
    decoder: { type: "ByteLevel", add_prefix_space: false },
    model: { type: "BPE", ignore_merges: pre.ignoresMerges ?? false, vocab, merges: pairs },
  };
}
