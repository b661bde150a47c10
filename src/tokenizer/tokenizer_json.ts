/** The parts of `tokenizer.json` (Hugging Face tokenizers, format version 1.0) that we read and write ourselves. */
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

export interface PreTokenizerJson {
  type: string;
  pretokenizers?: PreTokenizerJson[];
  pattern?: { Regex?: string; String?: string };
  behavior?: string;
  invert?: boolean;
  add_prefix_space?: boolean;
  use_regex?: boolean;
  individual_digits?: boolean;
}

export type TemplatePiece = { SpecialToken: { id: string } } | { Sequence: { id: string } };

export interface PostProcessorJson {
  type: string;
  processors?: PostProcessorJson[];
  single?: TemplatePiece[];
  special_tokens?: Record<string, { ids: number[] }>;
}

export interface BpeModelJson {
  type?: string;
  dropout?: number | null;
  unk_token?: string | null;
  continuing_subword_prefix?: string | null;
  end_of_word_suffix?: string | null;
  byte_fallback?: boolean;
  ignore_merges?: boolean;
  vocab: Record<string, number>;
  /** Pairs, or in older files two tokens with a space between. */
  merges: (string | [string, string])[];
}

export interface TokenizerJson {
  added_tokens?: AddedTokenJson[];
  normalizer?: { type: string } | null;
  pre_tokenizer?: PreTokenizerJson | null;
  post_processor?: PostProcessorJson | null;
  decoder?: { type: string } | null;
  model: BpeModelJson;
}

/** A `tokenizer.json` that cannot be read: says which file and what is wrong with it. */
export class TokenizerError extends UserError {
  override name = "TokenizerError";
}
