/**
 * Trains a byte-level BPE tokenizer. Ids: special tokens, the 256 bytes in the order of their characters, then one id
 * per merge - the order of Hugging Face's BpeTrainer, whose merges this one reproduces.
 */
import { AddedTokens } from "./added_tokens.ts";
import { learnMerges, type WordCounts } from "./bpe_merges.ts";
import { byteCharacters } from "./byte_alphabet.ts";
import {
  byteBpeConfig,
  byteBpeJson,
  listSpecialTokens,
  type PreTokenizerName,
  preTokenizerJson,
  type SpecialTokenOptions,
} from "./byte_bpe_json.ts";
import { JsonTokenizer } from "./json_tokenizer.ts";
import { ownString } from "./own_string.ts";
import { compilePreTokenizer } from "./pre_tokenizer.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { TokenizerError } from "./tokenizer_json.ts";

export interface BpeTrainerOptions extends SpecialTokenOptions {
  /** Number of ids, special tokens and the 256 bytes included. Fewer are made if the text has too few pairs. */
  vocabSize: number;
  /** How text is split before merging. Default `llama3`. */
  preTokenizer?: Exclude<PreTokenizerName, "none">;
  /** A pair that occurs less often in the text is not merged. Default 2. */
  minFrequency?: number;
  /** Called now and then: characters read, then ids made. */
  onProgress?: (phase: "reading" | "merging", done: number) => void;
}

type Texts = Iterable<string> | AsyncIterable<string>;

/** Counts the pieces of `texts`; special tokens in the text are cut out and not learnt from. */
async function countWords(
  texts: Texts,
  options: BpeTrainerOptions,
  specialTokens: readonly string[],
): Promise<Map<string, number>> {
  const preTokenizer = compilePreTokenizer(preTokenizerJson(options.preTokenizer ?? "llama3"));
  const special = new AddedTokens(specialTokens.map((content, id) => ({ id, content, special: true })));
  const counts = new Map<string, number>();
  let read = 0;
  for await (const text of texts) {
    for (const part of special.split(text)) {
      if (typeof part === "number") continue;
      for (const piece of preTokenizer.split(part, "inner")) {
        const count = counts.get(piece);
        if (count === undefined) counts.set(ownString(piece), 1);
        else counts.set(piece, count + 1);
      }
    }
    read += text.length;
    options.onProgress?.("reading", read);
  }
  return counts;
}

function toSymbols(counts: ReadonlyMap<string, number>, byteIds: Int32Array): WordCounts {
  const encoder = new TextEncoder();
  const words: Int32Array[] = [];
  const frequencies = new Float64Array(counts.size);
  for (const [word, count] of counts) {
    frequencies[words.length] = count;
    words.push(Int32Array.from(encoder.encode(word), (byte) => byteIds[byte]));
  }
  return { words, counts: frequencies };
}

/**
 * Trains on `texts` (each a document or a stretch of one), which are read once.
 * @throws {TokenizerError} if `vocabSize` is below 256 + the special tokens, or the texts are empty.
 */
export async function trainBpe(texts: Texts, options: BpeTrainerOptions): Promise<Tokenizer> {
  const specialTokens = listSpecialTokens(options);
  const fixed = specialTokens.length + 256;
  if (!Number.isInteger(options.vocabSize) || options.vocabSize < fixed) {
    throw new TokenizerError(
      `vocab_size ${options.vocabSize} is too small: 256 bytes and ${specialTokens.length} special tokens need ${fixed}`,
    );
  }
  const counts = await countWords(texts, options, specialTokens);
  if (counts.size === 0) throw new TokenizerError("there is no text to train a tokenizer on");

  const tokens = [...specialTokens, ...[...byteCharacters].sort()];
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const intern = (left: number, right: number): number => {
    const token = tokens[left] + tokens[right];
    const known = ids.get(token);
    if (known !== undefined) return known;
    ids.set(token, tokens.length);
    if (tokens.length % 256 === 0) options.onProgress?.("merging", tokens.length);
    return tokens.push(token) - 1;
  };
  const byteIds = Int32Array.from(byteCharacters, (character) => ids.get(character)!);
  const wanted = () => tokens.length < options.vocabSize;
  const merges = learnMerges(toSymbols(counts, byteIds), intern, wanted, options.minFrequency ?? 2);
  options.onProgress?.("merging", tokens.length);

  const pairs = merges.map(({ left, right }): [string, string] => [tokens[left], tokens[right]]);
  const json = byteBpeJson(Object.fromEntries(ids), pairs, options.preTokenizer ?? "llama3", options);
  return new JsonTokenizer(json, byteBpeConfig(options));
}
