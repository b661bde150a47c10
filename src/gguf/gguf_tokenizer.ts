/**
 * The tokenizer of a GGUF file: the `tokenizer.json` that our exporter puts there, or, in files of other programs, one
 * built from llama.cpp's keys (`tokenizer.ggml.*`) when they describe a byte-level BPE with a known pre-tokenizer.
 */

import { byteBpeJson, type PreTokenizerName } from "../tokenizer/byte_bpe_json.ts";
import { loadTokenizer } from "../tokenizer/load_tokenizer.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { GgufError } from "./gguf_types.ts";

const preTokenizers = new Map<unknown, PreTokenizerName>([
  ["gpt-2", "gpt2"],
  ["gpt2", "gpt2"],
  ["llama-bpe", "llama3"],
  ["llama3", "llama3"],
  ["llama-v3", "llama3"],
]);

/** Special tokens that only LLaMA-3's vocabulary has together. */
const llama3Tokens = ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"];

// llama.cpp's kinds of tokens.
const controlToken = 3;
const userDefinedToken = 4;

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

/**
 * @throws {GgufError} that says which metadata are missing or not supported.
 * @throws {TokenizerError} if the tokenizer.json inside is not valid.
 */
export function tokenizerOf(file: TokenizerMetadata): Tokenizer {
  const config = file.metadata.get("tokenizer.huggingface.config");
  if (file.tokenizerJson !== null) {
    return loadTokenizer(file.tokenizerJson, typeof config === "string" ? config : null);
  }
  return tokenizerFromVocabulary(file);
}

function tokenizerFromVocabulary(file: TokenizerMetadata): Tokenizer {
  const { metadata } = file;
  const fail = (reason: string): never => {
    throw new GgufError(`${file.path}: no usable tokenizer: the file has no tokenizer.huggingface.json, and ${reason}`);
  };
  const kind = metadata.get("tokenizer.ggml.model");
  if (kind !== "gpt2") fail(`its tokenizer.ggml.model is ${kind ?? "missing"} (gpt2, byte-level BPE, is supported)`);
  const tokens = file.metadataArray("tokenizer.ggml.tokens") as string[] | undefined;
  const merges = file.metadataArray("tokenizer.ggml.merges") as string[] | undefined;
  if (!tokens) return fail("tokenizer.ggml.tokens is missing");
  if (!merges) return fail("tokenizer.ggml.merges is missing");
  const preName = metadata.get("tokenizer.ggml.pre");
  // bitnet.cpp's official 2B4T file leaves the key out. Its vocabulary is LLaMA-3's, and so is the way it was trained.
  const isLlama3 = preName === undefined && llama3Tokens.every((token) => tokens.includes(token));
  const pre = isLlama3 ? "llama3" : preTokenizers.get(preName);
  if (pre === undefined) {
    return fail(`its tokenizer.ggml.pre is ${preName ?? "missing"} (gpt-2 and llama-bpe are known)`);
  }
  const kinds = file.metadataArray("tokenizer.ggml.token_type") ?? [];
  if (kinds.length > 0 && kinds.length !== tokens.length) {
    return fail(`its tokenizer.ggml.token_type has ${kinds.length} entries for ${tokens.length} tokens`);
  }
  const special = (key: string) => tokens[Number(metadata.get(`tokenizer.ggml.${key}_token_id`) ?? -1)];
  const eosToken = special("eos") ?? fail("tokenizer.ggml.eos_token_id is missing");
  const bosToken = special("bos");
  const addsBos = metadata.get("tokenizer.ggml.add_bos_token") ?? pre === "llama3";

  const vocab = Object.fromEntries(tokens.map((text, id) => [text, id]));
  const known = new Set(tokens);
  const pairs = merges.map((merge, i): [string, string] => {
    const parts = String(merge).split(" ");
    if (parts.length === 2 && [...parts, parts.join("")].every((part) => known.has(part))) {
      return [parts[0], parts[1]];
    }
    return fail(
      `entry ${i} of its tokenizer.ggml.merges, ${JSON.stringify(merge)}, is no pair of tokens that make one`,
    );
  });
  const json = byteBpeJson(vocab, pairs, pre, {
    specialTokens: tokens.filter((_, id) => kinds[id] === controlToken),
    bosToken: addsBos ? bosToken : undefined,
    eosToken,
  });
  // As in LLaMA-3's own tokenizer.json: a piece that is a token needs no merges.
  json.model.ignore_merges = pre === "llama3";
  tokens.forEach((content, id) => {
    if (kinds[id] !== userDefinedToken) return;
    const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: false };
    json.added_tokens = [...(json.added_tokens ?? []), { id, content, ...flags }];
  });
  return loadTokenizer(json, {
    bos_token: bosToken,
    eos_token: eosToken,
    chat_template: metadata.get("tokenizer.chat_template"),
  });
}
