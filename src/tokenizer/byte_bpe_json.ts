/** Writes the two JSON files of a byte-level BPE tokenizer, as Hugging Face lays them out. */
import { llama3Pattern } from "./split_pattern.ts";
import { type AddedTokenJson, type BpeTokenizerJson, type PreTokenizerJson, TokenizerError } from "./tokenizer_json.ts";

export const preTokenizers = ["gpt2", "llama3", "none"] as const;
/** `none`: the whole text is one piece. */
export type PreTokenizerName = (typeof preTokenizers)[number];

/** Which special tokens there are, and what they are for. */
export interface SpecialTokenOptions {
  /** In order of their ids. Default: the EOS token, after the BOS token if there is one. */
  specialTokens?: readonly string[];
  /** Ends a document. Default `<|endoftext|>`. */
  eosToken?: string;
  /** When given, encoding puts it in front of every text. */
  bosToken?: string;
  /** Jinja template, kept in `tokenizer_config.json`. */
  chatTemplate?: string;
}

export const defaultEosToken = "<|endoftext|>";

/**
 * All special tokens, each once, the EOS token among them.
 * @throws {TokenizerError} if one has fewer than two characters (a single one is a byte's name in the vocabulary).
 */
export function listSpecialTokens(options: SpecialTokenOptions): string[] {
  const listed = [...(options.specialTokens ?? [])];
  for (const token of [options.bosToken, options.eosToken ?? defaultEosToken]) {
    if (token !== undefined && !listed.includes(token)) listed.push(token);
  }
  const short = listed.find((token) => token.length < 2);
  if (short !== undefined) throw new TokenizerError(`special token "${short}" must have at least two characters`);
  return [...new Set(listed)];
}

export function preTokenizerJson(name: PreTokenizerName): PreTokenizerJson {
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: name === "gpt2" };
  if (name !== "llama3") return byteLevel;
  const split = { type: "Split", pattern: { Regex: llama3Pattern }, behavior: "Isolated", invert: false };
  return { type: "Sequence", pretokenizers: [split, byteLevel] };
}

/** `tokenizer.json` of a vocabulary in which every special token already has its id. */
export function byteBpeJson(
  vocab: Record<string, number>,
  merges: [string, string][],
  preTokenizer: PreTokenizerName,
  options: SpecialTokenOptions,
): BpeTokenizerJson {
  const added = listSpecialTokens(options)
    .map((content): AddedTokenJson => {
      const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
      return { id: vocab[content], content, ...flags };
    })
    .sort((a, b) => a.id - b.id);
  const byteLevel = { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true };
  const bos = options.bosToken;
  const sequence = (id: string) => ({ Sequence: { id, type_id: 0 } });
  const bosPiece = { SpecialToken: { id: bos ?? "", type_id: 0 } };
  const template = bos !== undefined && {
    type: "TemplateProcessing",
    single: [bosPiece, sequence("A")],
    pair: [bosPiece, sequence("A"), sequence("B")],
    special_tokens: { [bos]: { id: bos, ids: [vocab[bos]], tokens: [bos] } },
  };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: preTokenizerJson(preTokenizer),
    post_processor: template || { ...byteLevel, trim_offsets: false },
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab,
      merges,
    },
  } as BpeTokenizerJson;
}

/** `tokenizer_config.json`: names of the special tokens, and the chat template if there is one. */
export function byteBpeConfig(options: SpecialTokenOptions): Record<string, unknown> {
  const eos = options.eosToken ?? defaultEosToken;
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    clean_up_tokenization_spaces: false,
    ...(options.bosToken !== undefined && { bos_token: options.bosToken }),
    eos_token: eos,
    pad_token: eos,
    ...(options.chatTemplate !== undefined && { chat_template: options.chatTemplate }),
  };
}
