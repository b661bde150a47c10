/** WordLevel (a piece is a token) and WordPiece (the longest token that fits, then the longest of the rest ...). */
import type { PieceEncoder } from "./piece_encoder.ts";
import { TokenizerError, type WordLevelModelJson, type WordPieceModelJson } from "./tokenizer_json.ts";

/** Ids of a piece that the vocabulary does not hold. @throws {TokenizerError} if there is no unknown token. */
function unknown(vocab: ReadonlyMap<string, number>, token: string, piece: string): Int32Array {
  const id = vocab.get(token);
  if (id === undefined) {
    const shown = JSON.stringify(piece.length > 40 ? `${piece.slice(0, 40)}...` : piece);
    throw new TokenizerError(
      `the tokenizer has no id for ${shown}, and its unknown token ${JSON.stringify(token)} is not in its vocabulary`,
    );
  }
  return Int32Array.of(id);
}

export function wordLevelEncoder(model: WordLevelModelJson): PieceEncoder {
  const vocab = new Map(Object.entries(model.vocab));
  return {
    encode: (piece) => {
      const id = vocab.get(piece);
      return id === undefined ? unknown(vocab, model.unk_token ?? "<unk>", piece) : Int32Array.of(id);
    },
  };
}

export function wordPieceEncoder(model: WordPieceModelJson): PieceEncoder {
  const vocab = new Map(Object.entries(model.vocab));
  const unknownToken = model.unk_token ?? "[UNK]";
  const prefix = model.continuing_subword_prefix ?? "##";
  const longest = model.max_input_chars_per_word ?? 100;
  return {
    encode: (piece) => {
      const characters = Array.from(piece);
      if (characters.length > longest) return unknown(vocab, unknownToken, piece);
      const ids: number[] = [];
      for (let start = 0; start < characters.length; ) {
        let end = characters.length;
        let id: number | undefined;
        for (; end > start; end--) {
          id = vocab.get((start > 0 ? prefix : "") + characters.slice(start, end).join(""));
          if (id !== undefined) break;
        }
        // One part that is not known makes the whole piece unknown.
        if (id === undefined) return unknown(vocab, unknownToken, piece);
        ids.push(id);
        start = end;
      }
      return Int32Array.from(ids);
    },
  };
}
