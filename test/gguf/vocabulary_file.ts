/** Metadata of GGUF files with nothing but a vocabulary, as llama.cpp's converters write them. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import type { GgufValue } from "../../src/gguf/gguf_types.ts";
import { byteCharacters } from "../../src/tokenizer/byte_alphabet.ts";
import type { BpeTokenizerJson, WordPieceModelJson } from "../../src/tokenizer/tokenizer_json.ts";

const golden = path.join(import.meta.dirname, "../golden/tokenizer");
const string = (value: string): GgufValue => ({ type: "string", value });
const strings = (value: string[]): GgufValue => ({ type: "array", of: "string", value });
const number = (value: number): GgufValue => ({ type: "uint32", value });

/** What llama.cpp wants of a model before it looks at its vocabulary. */
export const leastModel: readonly [string, GgufValue][] = [
  ["general.architecture", string("llama")],
  ["llama.context_length", number(128)],
  ["llama.embedding_length", number(64)],
  ["llama.block_count", number(1)],
  ["llama.feed_forward_length", number(64)],
  ["llama.attention.head_count", number(1)],
  ["llama.attention.layer_norm_rms_epsilon", { type: "float32", value: 1e-5 }],
];

/** Characters that any two of are a token, whatever a pre-tokenizer would say: the ids show where pieces end. */
const joined = "aetsTSdlv 0159\n\r\t.,!'/-|<>(";

/** A byte-level BPE with a special and an added token. `pre`: name of its pre-tokenizer, null: none. */
export function vocabularyMetadata(pre: string | null): Map<string, GgufValue> {
  const symbols = Array.from(joined, (character) => byteCharacters[character.charCodeAt(0)]);
  const lead = byteCharacters.slice(0xc2, 0xf0);
  const inner = byteCharacters.slice(0x80, 0xc0);
  const pairs = [
    ...symbols.flatMap((left, i) =>
      symbols.map((right, j): [string, string, number] => [left, right, (i * 37 + j * 53) % 91]),
    ),
    ...lead.flatMap((left) => inner.map((right): [string, string, number] => [left, right, 100])),
  ].sort((a, b) => a[2] - b[2]);
  const merged = pairs.map(([left, right]) => left + right);
  const tokens = [...byteCharacters, ...merged, "<|endoftext|>", "<|x|>", "<note>"];
  const kinds = tokens.map((text) => (/^<\|./.test(text) && text.length > 2 ? 3 : text === "<note>" ? 4 : 1));
  const end = tokens.indexOf("<|endoftext|>");
  return new Map([
    ...leastModel,
    ["tokenizer.ggml.model", string("gpt2")],
    ...(pre === null ? [] : [["tokenizer.ggml.pre", string(pre)] as [string, GgufValue]]),
    ["tokenizer.ggml.tokens", strings(tokens)],
    ["tokenizer.ggml.token_type", { type: "array", of: "int32", value: kinds }],
    ["tokenizer.ggml.merges", strings(pairs.map(([left, right]) => `${left} ${right}`))],
    ["tokenizer.ggml.bos_token_id", number(end)],
    ["tokenizer.ggml.eos_token_id", number(end)],
    ["tokenizer.ggml.padding_token_id", number(2 ** 32 - 1)],
  ]);
}

/** A SentencePiece vocabulary with byte tokens; the scores are the places of the merges. */
export function spmMetadata(prefixed: boolean): Map<string, GgufValue> {
  const families = JSON.parse(gunzipSync(readFileSync(path.join(golden, "families.json.gz"))).toString());
  const { model: bpe } = families.tokenizers.gemma.json as BpeTokenizerJson;
  const tokens: string[] = [];
  for (const [text, id] of Object.entries(bpe.vocab)) tokens[id] = text;
  const made = bpe.merges.map((merge) => (typeof merge === "string" ? merge.replace(" ", "") : merge.join("")));
  const scores = tokens.map((text, id) => (made.includes(text) ? -made.indexOf(text) : -1000 - id));
  const kinds = tokens.map((text) => {
    if (text === "<unk>") return 2;
    if (text === "<s>" || text === "</s>") return 3;
    return /^<0x..>$/.test(text) ? 6 : 1;
  });
  return new Map([
    ...leastModel,
    ["tokenizer.ggml.model", string("llama")],
    ["tokenizer.ggml.tokens", strings(tokens)],
    ["tokenizer.ggml.scores", { type: "array", of: "float32", value: scores }],
    ["tokenizer.ggml.token_type", { type: "array", of: "int32", value: kinds }],
    ["tokenizer.ggml.bos_token_id", number(1)],
    ["tokenizer.ggml.eos_token_id", number(2)],
    ["tokenizer.ggml.unknown_token_id", number(0)],
    ["tokenizer.ggml.add_space_prefix", { type: "bool", value: prefixed }],
  ]);
}

/** A WordPiece vocabulary as llama.cpp's converters write BERT's: a mark before words, none inside of them. */
export function wordPieceMetadata(): Map<string, GgufValue> {
  const families = JSON.parse(gunzipSync(readFileSync(path.join(golden, "families.json.gz"))).toString());
  const { model: wordPiece } = families.tokenizers.bert_accents.json as { model: WordPieceModelJson };
  const tokens: string[] = [];
  for (const [text, id] of Object.entries(wordPiece.vocab)) {
    tokens[id] = /^\[.+\]$/.test(text) ? text : text.startsWith("##") ? text.slice(2) : `\u2581${text}`;
  }
  const id = (text: string) => number(tokens.indexOf(text));
  return new Map([
    ...leastModel,
    ["tokenizer.ggml.model", string("bert")],
    ["tokenizer.ggml.tokens", strings(tokens)],
    [
      "tokenizer.ggml.token_type",
      { type: "array", of: "int32", value: tokens.map((text) => (/^\[.+\]$/.test(text) ? 3 : 1)) },
    ],
    ["tokenizer.ggml.unknown_token_id", id("[UNK]")],
    ["tokenizer.ggml.cls_token_id", id("[CLS]")],
    ["tokenizer.ggml.bos_token_id", id("[CLS]")],
    ["tokenizer.ggml.seperator_token_id", id("[SEP]")],
    ["tokenizer.ggml.padding_token_id", id("[PAD]")],
    ["tokenizer.ggml.mask_token_id", id("[MASK]")],
  ]);
}
