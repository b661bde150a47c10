/** Which tokens end a generated text. */
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

/** Ids that the file or the tokenizer names, and special tokens that are known to end a text. */
export function endTokenIds(metadata: ReadonlyMap<string, unknown>, tokenizer: Tokenizer): ReadonlySet<number> {
  const named = ["eos", "eot", "eom"].map((name) => metadata.get(`tokenizer.ggml.${name}_token_id`));
  const { added_tokens: added = [] } = tokenizer.json as unknown as TokenizerJson;
  const known = added.filter(({ content, special }) => special && endTexts.has(content)).map(({ id }) => id);
  return new Set([tokenizer.eosTokenId, ...named, ...known].filter((id) => typeof id === "number"));
}
