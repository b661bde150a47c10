/** The vocabulary of a GGUF file, as llama.cpp's keys describe it (`tokenizer.ggml.*`). */
import type { AddedTokenJson, PostProcessorJson } from "../tokenizer/tokenizer_json.ts";
import { GgufError } from "./gguf_types.ts";
import { tokenKinds } from "./token_kinds.ts";

/** Where the metadata of a file are found: an engine, or the file itself. */
export interface TokenizerMetadata {
  /** Of the file, for messages. */
  readonly path: string;
  /** Scalars and strings. */
  readonly metadata: ReadonlyMap<string, string | number | boolean>;
  /** The tokenizer.json that our exporter puts into a file. */
  readonly tokenizerJson: string | null;
  metadataArray(key: string): readonly (string | number | boolean)[] | undefined;
}

export interface Vocabulary {
  /** `gpt2`, `llama` ... */
  model: string | null;
  tokens: readonly string[];
  /** llama.cpp's kind of each token. */
  kinds: readonly number[];
  /** Null if the file names none. */
  bosId: number | null;
  eosId: number | null;
  flag(key: string, fallback: boolean): boolean;
  text(key: string): string | null;
  /** An array of the file; it must be there. */
  array(key: string): readonly (string | number | boolean)[];
  /** @throws {GgufError} always: the reason, and the way out. */
  fail(reason: string): never;
}

/** Ids that stand where a file has none: llama.cpp's converters write -1 into an unsigned number. */
const noId = 2 ** 32 - 1;

/** llama.cpp's own ids where a SentencePiece file names none. */
const sentencePieceIds = { bos: 1, eos: 2 };

/** A WordPiece file names what begins and ends a text otherwise; the spelling is llama.cpp's. */
const wordPieceNames = { bos: "cls", eos: "seperator" };

/** @throws {GgufError} if tokens are missing, or the arrays do not fit. */
export function readVocabulary(file: TokenizerMetadata): Vocabulary {
  const { metadata, path } = file;
  const fail = (reason: string): never => {
    throw new GgufError(
      `${path}: no usable tokenizer: the file has no tokenizer.huggingface.json, and ${reason}; give the model's own by --tokenizer (a tokenizer.json, its folder, or owner/name on the Hub)`,
    );
  };
  const value = (key: string) => metadata.get(`tokenizer.ggml.${key}`);
  const array = (key: string) =>
    file.metadataArray(`tokenizer.ggml.${key}`) ?? fail(`tokenizer.ggml.${key} is missing`);
  const model = value("model");
  if (model === undefined) fail("its tokenizer.ggml.model is missing");
  const tokens = array("tokens") as readonly string[];
  const kinds = (file.metadataArray("tokenizer.ggml.token_type") ?? []) as readonly number[];
  if (kinds.length > 0 && kinds.length !== tokens.length) {
    fail(`its tokenizer.ggml.token_type has ${kinds.length} entries for ${tokens.length} tokens`);
  }
  const id = (name: "bos" | "eos"): number | null => {
    const given =
      value(`${name}_token_id`) ?? (model === "bert" ? value(`${wordPieceNames[name]}_token_id`) : undefined);
    if (typeof given === "number" && given >= 0 && given < tokens.length) return given;
    if (given === noId || given === -1) return null;
    if (given !== undefined) return fail(`its tokenizer.ggml.${name}_token_id is ${given}, of ${tokens.length} tokens`);
    if (model === "llama" && sentencePieceIds[name] < tokens.length) return sentencePieceIds[name];
    return name === "bos" ? null : fail("tokenizer.ggml.eos_token_id is missing");
  };
  return {
    model: typeof model === "string" ? model : null,
    tokens,
    kinds,
    bosId: id("bos"),
    eosId: id("eos"),
    flag: (key, fallback) => {
      const given = value(key);
      return typeof given === "boolean" ? given : fallback;
    },
    text: (key) => {
      const given = value(key);
      return typeof given === "string" ? given : null;
    },
    array,
    fail,
  };
}

/** Tokens that are found in text before anything else. */
export function addedTokensOf({ tokens, kinds, eosId, bosId }: Vocabulary): AddedTokenJson[] {
  const special = new Set<number>([tokenKinds.control, tokenKinds.unknown]);
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  return tokens.flatMap((content, id): AddedTokenJson[] => {
    const isSpecial = special.has(kinds[id]) || id === eosId || id === bosId;
    if (!isSpecial && kinds[id] !== tokenKinds.userDefined) return [];
    return [{ id, content, ...flags, special: isSpecial }];
  });
}

/** BOS in front of every text, or nothing. */
export function bosTemplate(bosId: number | null, token: string): PostProcessorJson | null {
  if (bosId === null) return null;
  return {
    type: "TemplateProcessing",
    single: [{ SpecialToken: { id: token } }, { Sequence: { id: "A" } }],
    special_tokens: { [token]: { ids: [bosId] } },
  };
}
