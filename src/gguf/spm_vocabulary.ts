/**
 * A SentencePiece vocabulary of a GGUF file (`tokenizer.ggml.model = llama`) as tokenizer.json: neighbours that make a
 * token are merged, the token of the highest score first; what is no token is written as bytes.
 */
import type { DecoderJson, NormalizerJson, TokenizerJson } from "../tokenizer/tokenizer_json.ts";
import { tokenKinds } from "./token_kinds.ts";
import { addedTokensOf, bosTemplate, type Vocabulary } from "./vocabulary.ts";

const space = "\u2581";

/** All pairs of tokens that make a token. */
function mergesOf(tokens: readonly string[]): [string, string][] {
  const known = new Set(tokens);
  const merges: [string, string][] = [];
  for (const token of tokens) {
    const characters = Array.from(token);
    for (let i = 1, end = 0; i < characters.length; i++) {
      end += characters[i - 1].length;
      const pair: [string, string] = [token.slice(0, end), token.slice(end)];
      if (pair.every((part) => known.has(part))) merges.push(pair);
    }
  }
  return merges;
}

/** @throws {GgufError} if scores are missing. */
export function sentencePieceOfVocabulary(vocabulary: Vocabulary): TokenizerJson {
  const { tokens, kinds, bosId, fail } = vocabulary;
  const scores = vocabulary.array("scores") as readonly number[];
  if (scores.length < tokens.length) fail(`its tokenizer.ggml.scores has ${scores.length} for ${tokens.length} tokens`);
  const prefixed = vocabulary.flag("add_space_prefix", true);
  const mark: NormalizerJson = { type: "Replace", pattern: { String: " " }, content: space };
  const unmark: DecoderJson = { type: "Replace", pattern: { String: space }, content: " " };
  const unknown = kinds.indexOf(tokenKinds.unknown);
  const addsBos = vocabulary.flag("add_bos_token", true);
  return {
    added_tokens: addedTokensOf(vocabulary),
    normalizer: {
      type: "Sequence",
      normalizers: prefixed ? [{ type: "Prepend", prepend: space }, mark] : [mark],
    },
    pre_tokenizer: null,
    post_processor: addsBos && bosId !== null ? bosTemplate(bosId, tokens[bosId]) : null,
    decoder: {
      type: "Sequence",
      decoders: [
        unmark,
        { type: "ByteFallback" },
        { type: "Fuse" },
        ...(prefixed ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      type: "BPE",
      unk_token: unknown < 0 ? null : tokens[unknown],
      fuse_unk: true,
      byte_fallback: true,
      vocab: Object.fromEntries(tokens.map((text, id) => [text, id])),
      merges: mergesOf(tokens),
      scores: scores.slice(0, tokens.length),
    },
  };
}
