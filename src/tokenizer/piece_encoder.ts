/** What a model of `tokenizer.json` does: a piece of text -> ids. */
import { ownString } from "./own_string.ts";

export interface PieceEncoder {
  /** Ids of `piece`, which is not empty. @throws {TokenizerError} if a part of it has no id, nor an unknown token. */
  encode(piece: string): Int32Array;
}

/** Distinct pieces kept with their ids: covers nearly all of running text in a few MB. */
const maxCachedPieces = 1 << 16;
const maxCachedLength = 64;

/** Keeps the ids of short pieces. */
export class CachedEncoder {
  private readonly encoder: PieceEncoder;
  private readonly cache = new Map<string, Int32Array>();

  constructor(encoder: PieceEncoder) {
    this.encoder = encoder;
  }

  /** Appends the ids of `piece` to `ids`. */
  append(piece: string, ids: number[]): void {
    let encoded = this.cache.get(piece);
    if (encoded === undefined) {
      encoded = this.encoder.encode(piece);
      if (piece.length <= maxCachedLength) {
        if (this.cache.size >= maxCachedPieces) this.cache.clear();
        this.cache.set(ownString(piece), encoded);
      }
    }
    for (let i = 0; i < encoded.length; i++) ids.push(encoded[i]);
  }
}
