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
import { compilePreTokenizer } from "./pre_tokenizer.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { TokenizerError } from "./tokenizer_json.ts";
import { WordCounter } from "./word_counts.ts";

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
  const counter = new WordCounter();
  let read = 0;
  for await (const text of texts) {
    for (const part of special.split(text)) {
      if (typeof part === "number") continue;
      for (const piece of preTokenizer.split(part, "inner")) counter.add(piece);
    }
    read += text.length;
    counter.check(read);
    options.onProgress?.("reading", read);
  }
  if (counter.counts.size === 0) throw new TokenizerError("there is no text to train a tokenizer on");
  return counter.counts;
}

function toSymbols(words: ReadonlyMap<string, number>, byteIds: Int32Array): WordCounts {
  const starts = new Float64Array(words.size + 1);
  const counts = Float64Array.from(words.values());
  let index = 0;
  for (const word of words.keys()) {
    starts[index + 1] = starts[index] + Buffer.byteLength(word);
    index++;
  }
  const symbols = new Int32Array(starts[words.size]);
  let at = 0;
  for (const word of words.keys()) for (const byte of Buffer.from(word)) symbols[at++] = byteIds[byte];
  return { symbols, starts, counts };
}

/**
 * Trains on `texts` (each a document or a stretch of one), which are read once.
 * @throws {TokenizerError} if `vocabSize` is below 256 + the special tokens, the texts are empty, or have more distinct words
 * than memory has room for.
 */
export async function trainBpe(texts: Texts, options: BpeTrainerOptions): Promise<Tokenizer> {
  const specialTokens = listSpecialTokens(options);
  const fixed = specialTokens.length + 256;
  if (!Number.isInteger(options.vocabSize) || options.vocabSize < fixed) {
    throw new TokenizerError(
      `vocab_size ${options.vocabSize} is too small: 256 bytes and ${specialTokens.length} special tokens need ${fixed}`,
    );
  }
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
  // The words as texts are garbage while merges are learnt.
  const words = await countWords(texts, options, specialTokens).then((counts) => toSymbols(counts, byteIds));
  const merges = learnMerges(words, intern, wanted, options.minFrequency ?? 2);
  options.onProgress?.("merging", tokens.length);

  const pairs = merges.map(({ left, right }): [string, string] => [tokens[left], tokens[right]]);
  const json = byteBpeJson(Object.fromEntries(ids), pairs, options.preTokenizer ?? "llama3", options);
  return new JsonTokenizer(json, byteBpeConfig(options));
}
