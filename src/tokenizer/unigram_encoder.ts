/**
 * Unigram: of all ways to cut a piece into tokens, the one of the highest sum of log-probabilities (Viterbi). A
 * character without a token costs ten more than the least likely token; such characters in a row become one unknown
 * token, or the tokens of their bytes. Same ids as Hugging Face's `Unigram` model.
 *
 * Source: Kudo 2018, "Subword Regularization", arXiv:1804.10959; google/sentencepiece, unigram_model.cc.
 */
import { byteToken } from "./byte_alphabet.ts";
import { PairTable } from "./pair_table.ts";
import type { PieceEncoder } from "./piece_encoder.ts";
import { TokenizerError, type UnigramModelJson } from "./tokenizer_json.ts";

const unknownPenalty = 10;

/** Token texts as a trie over UTF-16 units: every node is a number, 0 the root. */
class TokenTrie {
  private readonly children = new PairTable();
  /** Id of the token that ends at each node, -1 if none does. */
  private readonly ids: number[] = [-1];

  add(text: string, id: number): void {
    let node = 0;
    for (let i = 0; i < text.length; i++) {
      let child = this.children.get(node, text.charCodeAt(i));
      if (child < 0) {
        child = this.ids.length;
        this.children.set(node, text.charCodeAt(i), child);
        this.ids.push(-1);
      }
      node = child;
    }
    this.ids[node] = id;
  }

  /** Node below `node`, -1 if there is none. */
  step(node: number, unit: number): number {
    return this.children.get(node, unit);
  }

  idAt(node: number): number {
    return this.ids[node];
  }
}

export class UnigramEncoder implements PieceEncoder {
  private readonly trie = new TokenTrie();
  private readonly ids: ReadonlyMap<string, number>;
  private readonly scores: Float64Array;
  private readonly unknownId: number;
  private readonly unknownScore: number;
  /** Id of the token of each byte; null unless all bytes have one and the model falls back on them. */
  private readonly byteIds: (number | undefined)[] | null;

  /** @throws {TokenizerError} if the unknown token is not in the vocabulary. */
  constructor(model: UnigramModelJson) {
    const { vocab } = model;
    this.unknownId = model.unk_id ?? -1;
    if (this.unknownId >= vocab.length) {
      throw new TokenizerError(
        `the tokenizer's unk_id is ${this.unknownId}, its vocabulary has ${vocab.length} tokens`,
      );
    }
    this.scores = Float64Array.from(vocab, ([, score]) => score);
    this.ids = new Map(vocab.map(([text], id) => [text, id]));
    for (const [text, id] of this.ids) this.trie.add(text, id);
    this.unknownScore = this.scores.reduce((least, score) => Math.min(least, score), Infinity) - unknownPenalty;
    this.byteIds = model.byte_fallback ? Array.from({ length: 256 }, (_, byte) => this.ids.get(byteToken(byte))) : null;
  }

  encode(piece: string): Int32Array {
    const { starts, chosen } = this.bestPath(piece);
    const ids: number[] = [];
    // From the end to the beginning; unknown characters in a row are collected.
    let unknownEnd = -1;
    let end = piece.length;
    const endUnknown = (start: number): void => {
      if (unknownEnd >= 0) for (const id of this.unknownIds(piece.slice(start, unknownEnd)).reverse()) ids.push(id);
      unknownEnd = -1;
    };
    while (end > 0) {
      if (chosen[end] === this.unknownId) {
        if (unknownEnd < 0) unknownEnd = end;
      } else {
        endUnknown(end);
        ids.push(chosen[end]);
      }
      end = starts[end];
    }
    endUnknown(0);
    return Int32Array.from(ids.reverse());
  }

  /** For every end of a token on a best path: where that token starts, and its id. */
  private bestPath(piece: string): { starts: Int32Array; chosen: Int32Array } {
    const size = piece.length;
    const { trie, scores } = this;
    const best = new Float64Array(size + 1);
    const starts = new Int32Array(size + 1).fill(-1);
    const chosen = new Int32Array(size + 1);
    const offer = (start: number, end: number, id: number, score: number): void => {
      if (starts[end] >= 0 && !(score > best[end])) return;
      best[end] = score;
      starts[end] = start;
      chosen[end] = id;
    };
    for (let start = 0; start < size; ) {
      const width = piece.codePointAt(start)! > 0xffff ? 2 : 1;
      const before = best[start];
      let single = false;
      let node = 0;
      for (let end = start; end < size; ) {
        node = trie.step(node, piece.charCodeAt(end++));
        if (node < 0) break;
        const id = trie.idAt(node);
        if (id < 0) continue;
        offer(start, end, id, scores[id] + before);
        if (end - start === width) single = true;
      }
      if (!single) offer(start, start + width, this.unknown(piece, start), this.unknownScore + before);
      start += width;
    }
    return { starts, chosen };
  }

  private unknown(piece: string, start: number): number {
    if (this.unknownId >= 0) return this.unknownId;
    const character = String.fromCodePoint(piece.codePointAt(start)!);
    throw new TokenizerError(`the tokenizer has no id for ${JSON.stringify(character)}, and no unk_id`);
  }

  /** Ids of a stretch of unknown characters. */
  private unknownIds(text: string): number[] {
    const whole = this.ids.get(text);
    if (whole !== undefined) return [whole];
    if (this.byteIds) {
      const bytes = Array.from(Buffer.from(text), (byte) => this.byteIds![byte]);
      if (bytes.every((id) => id !== undefined)) return bytes;
    }
    return [this.unknownId];
  }
}
