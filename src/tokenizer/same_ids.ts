/** Whether two tokenizers give and take the same ids. */
import type { Tokenizer } from "./tokenizer.ts";

/** True if `other` writes the same bytes for every id of `tokenizer`: of a GGUF file's the JSON may be another. */
export function hasSameIds(other: Tokenizer, tokenizer: Tokenizer): boolean {
  if (other.hash === tokenizer.hash) return true;
  if (other.vocabSize !== tokenizer.vocabSize) return false;
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    if (Buffer.compare(other.tokenBytes(id), tokenizer.tokenBytes(id)) !== 0) return false;
  }
  return other.eosTokenId === tokenizer.eosTokenId;
}
