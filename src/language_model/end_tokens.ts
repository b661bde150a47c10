/** Which tokens end a generated text. */
import { assignAddedIds } from "../tokenizer/added_tokens.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { TokenizerJson } from "../tokenizer/tokenizer_json.ts";

/**
 * Special tokens that end an answer or a document in published models; files often name only one of theirs. The list is
 * llama.cpp's (`llama_vocab`, end of generation), as far as such tokens are special ones here.
 */
const endTexts = new Set([
  "<|eot_id|>",
  "<|eom_id|>",
  "<|im_end|>",
  "<|end|>",
  "<|end_of_text|>",
  "<|endoftext|>",
  "<end_of_turn>",
  "<EOT>",
]);

/** The tokenizer's EOS, ids that the model's files name (what is no id is left out), and known special tokens. */
export function endTokenIds(named: readonly unknown[], tokenizer: Tokenizer): ReadonlySet<number> {
  const added = assignAddedIds(tokenizer.json as unknown as TokenizerJson);
  const known = added.filter(({ content, special }) => special && endTexts.has(content)).map(({ id }) => id);
  return new Set([tokenizer.eosTokenId, ...named, ...known].filter((id) => typeof id === "number"));
}
