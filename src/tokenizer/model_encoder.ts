/** The encoder of the model of a `tokenizer.json`. */
import { BpeEncoder } from "./bpe_encoder.ts";
import type { PieceEncoder } from "./piece_encoder.ts";
import { isBpe, type ModelJson, TokenizerError, type TokenizerJson } from "./tokenizer_json.ts";
import { UnigramEncoder } from "./unigram_encoder.ts";
import { wordLevelEncoder, wordPieceEncoder } from "./word_encoders.ts";

/** @param byteLevel pieces are taken as the characters that stand for their UTF-8 bytes. */
export function modelEncoder(json: TokenizerJson, byteLevel: boolean, toBytes: (text: string) => string): PieceEncoder {
  if (isBpe(json)) return new BpeEncoder(json.model, byteLevel);
  const encoder = otherEncoder(json.model);
  return byteLevel ? { encode: (piece) => encoder.encode(toBytes(piece)) } : encoder;
}

function otherEncoder(model: ModelJson): PieceEncoder {
  switch (model.type) {
    case "Unigram":
      return new UnigramEncoder(model);
    case "WordPiece":
      return wordPieceEncoder(model);
    case "WordLevel":
      return wordLevelEncoder(model);
    default:
      throw new TokenizerError(
        model.type === "BPE" || model.type === undefined
          ? "the tokenizer is a BPE without merges"
          : `the tokenizer is a ${(model as { type: string }).type}, which is not known`,
      );
  }
}
