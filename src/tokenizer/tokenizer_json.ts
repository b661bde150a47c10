/** The parts of `tokenizer.json` (Hugging Face tokenizers, format version 1.0) that we read and write. */
import { UserError } from "../errors/user_error.ts";

export interface AddedTokenJson {
  id: number;
  content: string;
  single_word?: boolean;
  lstrip?: boolean;
  rstrip?: boolean;
  normalized?: boolean;
  special?: boolean;
}

/** A literal text, or an expression in Oniguruma's syntax. */
export interface PatternJson {
  Regex?: string;
  String?: string;
}

export interface NormalizerJson {
  type: string;
  normalizers?: NormalizerJson[];
  pattern?: PatternJson;
  content?: string;
  prepend?: string;
  strip_left?: boolean;
  strip_right?: boolean;
  precompiled_charsmap?: string | null;
  clean_text?: boolean;
  handle_chinese_chars?: boolean;
  strip_accents?: boolean | null;
  lowercase?: boolean;
}

export interface PreTokenizerJson {
  type: string;
  pretokenizers?: PreTokenizerJson[];
  pattern?: PatternJson;
  behavior?: string;
  invert?: boolean;
  add_prefix_space?: boolean;
  use_regex?: boolean;
  individual_digits?: boolean;
  replacement?: string;
  prepend_scheme?: string;
  split?: boolean;
  delimiter?: string;
  length?: number;
}

export type TemplatePiece = { SpecialToken: { id: string } } | { Sequence: { id: string } };

export interface PostProcessorJson {
  type: string;
  processors?: PostProcessorJson[];
  single?: TemplatePiece[];
  special_tokens?: Record<string, { ids: number[] }>;
  /** Of BertProcessing and RobertaProcessing: text and id. */
  cls?: [string, number];
  sep?: [string, number];
}

export interface DecoderJson {
  type: string;
  decoders?: DecoderJson[];
  pattern?: PatternJson;
  content?: string;
  start?: number;
  stop?: number;
  prefix?: string;
  suffix?: string;
  cleanup?: boolean;
  replacement?: string;
  prepend_scheme?: string;
  add_prefix_space?: boolean;
  pad_token?: string;
  word_delimiter_token?: string;
}

export interface BpeModelJson {
  type?: "BPE";
  dropout?: number | null;
  unk_token?: string | null;
  continuing_subword_prefix?: string | null;
  end_of_word_suffix?: string | null;
  fuse_unk?: boolean;
  byte_fallback?: boolean;
  ignore_merges?: boolean;
  vocab: Record<string, number>;
  /** Pairs, or in older files two tokens with a space between. */
  merges: (string | [string, string])[];
  /**
   * Our addition, for SentencePiece vocabularies of GGUF files: score of each id. Merges are then taken by the score
   * of the token that they make, the highest first, and not by their order.
   */
  scores?: readonly number[];
}

export interface UnigramModelJson {
  type: "Unigram";
  unk_id?: number | null;
  byte_fallback?: boolean;
  /** Text and log-probability; the place is the id. */
  vocab: [string, number][];
}

export interface WordPieceModelJson {
  type: "WordPiece";
  unk_token?: string;
  continuing_subword_prefix?: string;
  max_input_chars_per_word?: number;
  vocab: Record<string, number>;
}

export interface WordLevelModelJson {
  type: "WordLevel";
  unk_token?: string;
  vocab: Record<string, number>;
}

export type ModelJson = BpeModelJson | UnigramModelJson | WordPieceModelJson | WordLevelModelJson;

export interface TokenizerJson {
  added_tokens?: AddedTokenJson[] | null;
  normalizer?: NormalizerJson | null;
  pre_tokenizer?: PreTokenizerJson | null;
  post_processor?: PostProcessorJson | null;
  decoder?: DecoderJson | null;
  model: ModelJson;
}

/** A tokenizer whose model is BPE. */
export type BpeTokenizerJson = TokenizerJson & { model: BpeModelJson };

/** A `tokenizer.json` that cannot be read: says which file and what is wrong with it. */
export class TokenizerError extends UserError {
  override name = "TokenizerError";
}

/** True if the model is BPE. Older files leave the type out. */
export function isBpe(json: TokenizerJson): json is BpeTokenizerJson {
  return (json.model.type ?? "BPE") === "BPE" && Array.isArray((json.model as BpeModelJson).merges);
}

/** Texts and ids of the model, without added tokens. */
export function vocabularyOf({ vocab }: ModelJson): [string, number][] {
  return Array.isArray(vocab) ? vocab.map(([text], id): [string, number] => [text, id]) : Object.entries(vocab);
}
