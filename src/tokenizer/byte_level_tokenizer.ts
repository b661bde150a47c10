/**
 * The tokenizer without a vocabulary to learn: id = byte, then the special tokens from 256 on. Written as a byte-level
 * BPE with an empty merge list, which Hugging Face `tokenizers` loads with the same ids.
 */
import { byteCharacters } from "./byte_alphabet.ts";
import { byteBpeConfig, byteBpeJson, listSpecialTokens, type SpecialTokenOptions } from "./byte_bpe_json.ts";
import { JsonTokenizer } from "./json_tokenizer.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** @throws {TokenizerError} if a special token has fewer than two characters. */
export function byteLevelTokenizer(options: SpecialTokenOptions = {}): Tokenizer {
  const entries = [...byteCharacters, ...listSpecialTokens(options)].map((token, id): [string, number] => [token, id]);
  return new JsonTokenizer(byteBpeJson(Object.fromEntries(entries), [], "none", options), byteBpeConfig(options));
}
