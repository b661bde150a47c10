/**
 * The tokenizer as GGUF metadata: the keys of llama.cpp (`tokenizer.ggml.*`) for other readers, and the whole
 * tokenizer.json (`tokenizer.huggingface.json`), which is what our own engine uses.
 */

import { append } from "../arrays/large_arrays.ts";
import { assignAddedIds } from "../tokenizer/added_tokens.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { isBpe, type TokenizerJson, vocabularyOf } from "../tokenizer/tokenizer_json.ts";
import { chatTemplateEntries } from "./chat_template_keys.ts";
import { GgufError, type GgufValue } from "./gguf_types.ts";
import { preTokenizerName } from "./pre_tokenizer_name.ts";
import { tokenKinds } from "./token_kinds.ts";

/**
 * Metadata entries in file order.
 * @param vocabSize rows of the embedding; ids that the tokenizer lacks become unused tokens.
 * @throws {GgufError} if it is not a byte-level BPE, or its vocabulary has more ids than the model.
 */
export function tokenizerMetadata(tokenizer: Tokenizer, vocabSize: number): [string, GgufValue][] {
  const json = tokenizer.json as unknown as TokenizerJson;
  if (!isBpe(json)) {
    throw new GgufError(`the tokenizer is a ${json.model.type}: only byte-level BPE tokenizers are exported`);
  }
  const { tokens, kinds } = tokenTable(json, vocabSize);
  const merges = json.model.merges.map((merge) => (typeof merge === "string" ? merge : merge.join(" ")));
  const entries: [string, GgufValue][] = [
    ["tokenizer.ggml.model", { type: "string", value: "gpt2" }],
    ["tokenizer.ggml.pre", { type: "string", value: preTokenizerName(json) ?? "default" }],
    ["tokenizer.ggml.tokens", { type: "array", of: "string", value: tokens }],
    ["tokenizer.ggml.token_type", { type: "array", of: "int32", value: kinds }],
    ["tokenizer.ggml.merges", { type: "array", of: "string", value: merges }],
  ];
  const id = (key: string, value: number | null | undefined) => {
    if (value != null) entries.push([`tokenizer.ggml.${key}_token_id`, { type: "uint32", value }]);
  };
  // Without the key llama.cpp takes id 11. EOS in its place is GPT-2's way; add_bos_token says that it is not used.
  id("bos", tokenizer.bosTokenId ?? tokenizer.eosTokenId);
  id("eos", tokenizer.eosTokenId);
  // Ends an answer where EOS ends a document.
  const endOfTurn = tokens.indexOf("<|eot_id|>");
  if (endOfTurn >= 0 && endOfTurn !== tokenizer.eosTokenId) id("eot", endOfTurn);
  id("unknown", idOfSpecial(tokenizer, tokens, "unk_token"));
  id("padding", idOfSpecial(tokenizer, tokens, "pad_token"));
  entries.push(["tokenizer.ggml.add_bos_token", { type: "bool", value: tokenizer.addsBos }]);
  entries.push(["tokenizer.ggml.add_eos_token", { type: "bool", value: false }]);
  entries.push(["tokenizer.ggml.add_space_prefix", { type: "bool", value: false }]);
  append(entries, chatTemplateEntries(tokenizer.config));
  entries.push(["tokenizer.huggingface.json", { type: "string", value: JSON.stringify(tokenizer.json) }]);
  if (tokenizer.config !== null) {
    entries.push(["tokenizer.huggingface.config", { type: "string", value: JSON.stringify(tokenizer.config) }]);
  }
  return entries;
}

/** Text and kind of every id below `vocabSize`. */
function tokenTable(json: TokenizerJson, vocabSize: number): { tokens: string[]; kinds: number[] } {
  const tokens = Array.from({ length: vocabSize }, (_, id) => `[unused ${id}]`);
  const kinds = new Array<number>(vocabSize).fill(tokenKinds.unused);
  const set = (id: number, text: string, kind: number) => {
    if (id >= vocabSize) {
      throw new GgufError(
        `the tokenizer has the id ${id} (${JSON.stringify(text)}), the model only ${vocabSize} embedding rows: they do not belong together`,
      );
    }
    tokens[id] = text;
    kinds[id] = kind;
  };
  for (const [text, id] of vocabularyOf(json.model)) set(id, text, tokenKinds.normal);
  for (const { id, content, special } of assignAddedIds(json)) {
    // One that the model has no embedding for is of no use to anybody.
    if (id < vocabSize) set(id, content, special ? tokenKinds.control : tokenKinds.userDefined);
  }
  return { tokens, kinds };
}

/** Id of a special token that tokenizer_config.json names, as text or as { content }. */
function idOfSpecial(tokenizer: Tokenizer, tokens: readonly string[], key: string): number | null {
  const entry = tokenizer.config?.[key] as string | { content?: string } | null | undefined;
  const text = typeof entry === "string" ? entry : entry?.content;
  const id = text === undefined ? -1 : tokens.indexOf(text);
  return id < 0 ? null : id;
}
