/**
 * A WordPiece vocabulary of a GGUF file (`tokenizer.ggml.model = bert`) as tokenizer.json. Where Hugging Face marks what
 * goes on inside of a word ("##ing"), llama.cpp marks what begins one ("\u2581play").
 */
import type { TokenizerJson } from "../tokenizer/tokenizer_json.ts";
import { tokenKinds } from "./token_kinds.ts";
import { addedTokensOf, type Vocabulary } from "./vocabulary.ts";

const wordBegin = "\u2581";

/**
 * BERT's, as llama.cpp computes it: the control character U+0085 is white space, and all combining marks are
 * left out, those of Indic vowels too.
 */
const normalizers = [
  { type: "Replace", pattern: { String: "\u0085" }, content: " " },
  { type: "NFD" },
  { type: "Replace", pattern: { Regex: "\\p{M}" }, content: "" },
  { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, strip_accents: false, lowercase: true },
];

/** Control tokens and those in brackets stand as they are. */
function ownText(token: string, kind: number | undefined): string {
  const isSpecial = kind === tokenKinds.control || kind === tokenKinds.unknown || /^\[.+\]$/.test(token);
  if (isSpecial) return token;
  return token.startsWith(wordBegin) ? token.slice(wordBegin.length) : `##${token}`;
}

/** @throws {GgufError} if the file names no unknown token. */
export function wordPieceOfVocabulary(vocabulary: Vocabulary): TokenizerJson {
  const { tokens, kinds, bosId, eosId, fail } = vocabulary;
  const unknown = tokens.find((token, id) => kinds[id] === tokenKinds.unknown || token === "[UNK]");
  if (unknown === undefined) fail("it has no unknown token, which WordPiece needs");
  const ends = [bosId, eosId].map((id) => (id === null ? null : { token: tokens[id], id }));
  const [begin, end] = ends.map((special) => (special === null ? [] : [{ SpecialToken: { id: special.token } }]));
  const named = ends.flatMap((special) => (special === null ? [] : [special]));
  return {
    added_tokens: addedTokensOf(vocabulary),
    normalizer: { type: "Sequence", normalizers },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single: [...begin, { Sequence: { id: "A" } }, ...end],
      special_tokens: Object.fromEntries(named.map(({ token, id }) => [token, { ids: [id] }])),
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: unknown,
      continuing_subword_prefix: "##",
      max_input_chars_per_word: Number.MAX_SAFE_INTEGER,
      vocab: Object.fromEntries(tokens.map((token, id) => [ownText(token, kinds[id]), id])),
    },
  };
}
