/**
 * Byte-pair encoding of one piece of text: start from its bytes or characters, and merge the adjacent pair of lowest
 * rank (the leftmost of equals) until no pair has a rank. Same ids as Hugging Face's `BPE` model, without its dropout.
 */
import { BinaryHeap } from "./binary_heap.ts";
import { byteCharacters, bytesToCharacters, byteToken } from "./byte_alphabet.ts";
import { PairTable } from "./pair_table.ts";
import type { PieceEncoder } from "./piece_encoder.ts";
import { type BpeModelJson, TokenizerError } from "./tokenizer_json.ts";

/** Heap keys are `rank * positions + position`, exact in a double for ranks below 2^21. */
const positions = 2 ** 32;

type Merge = readonly [left: string, right: string];

/** Rank of every merge: its place, or, where tokens have scores, the place of what it makes among them. */
function ranksOf(made: readonly number[], scores: readonly number[] | undefined): Int32Array {
  if (!scores) return Int32Array.from(made, (_, merge) => merge);
  const ordered = Float64Array.from(new Set(made.map((id) => -scores[id]))).sort();
  const places = new Map(Array.from(ordered, (score, place) => [score, place]));
  return Int32Array.from(made, (id) => places.get(-scores[id])!);
}

/** Id of the unknown token, looked for when it is needed. */
function unknownId({ unk_token: token }: BpeModelJson, vocab: ReadonlyMap<string, number>): number {
  const id = vocab.get(token!);
  if (id === undefined) throw new TokenizerError(`the tokenizer's unknown token ${JSON.stringify(token)} has no id`);
  return id;
}

export class BpeEncoder implements PieceEncoder {
  private readonly model: BpeModelJson;
  private readonly vocab: ReadonlyMap<string, number>;
  private readonly byteLevel: boolean;
  /** Id of each byte, -1 if it has none: its character where pieces are bytes, else the token `<0x..>`. */
  private readonly byteIds: Int32Array;
  /** Pair of ids -> merge. */
  private readonly merges: PairTable;
  private readonly ranks: Int32Array;
  /** Id that each merge makes. */
  private readonly mergedIds: Int32Array;
  private readonly heap = new BinaryHeap<number>((a, b) => a < b);
  private readonly textEncoder = new TextEncoder();

  /**
   * @param byteLevel pieces are taken as the characters that stand for their UTF-8 bytes
   * @throws {TokenizerError} if a merge names a token that is not in the vocabulary.
   */
  constructor(model: BpeModelJson, byteLevel: boolean) {
    this.model = model;
    this.byteLevel = byteLevel;
    this.vocab = new Map(Object.entries(model.vocab));
    const nameOf = (byte: number): string => (byteLevel ? byteCharacters[byte] : byteToken(byte));
    this.byteIds = Int32Array.from({ length: 256 }, (_, byte) => this.vocab.get(nameOf(byte)) ?? -1);
    this.merges = new PairTable(model.merges.length);
    const prefix = model.continuing_subword_prefix?.length ?? 0;
    const made = model.merges.map((merge, index) => {
      const [left, right] = typeof merge === "string" ? (merge.split(" ") as unknown as Merge) : merge;
      const leftId = this.vocab.get(left);
      const rightId = this.vocab.get(right);
      const mergedId = this.vocab.get(left + right?.slice(prefix));
      if (leftId === undefined || rightId === undefined || mergedId === undefined) {
        throw new TokenizerError(`merge ${index} of the tokenizer, ${JSON.stringify(merge)}, is not in its vocabulary`);
      }
      this.merges.set(leftId, rightId, index);
      return mergedId;
    });
    this.mergedIds = Int32Array.from(made);
    this.ranks = ranksOf(made, model.scores);
  }

  encode(piece: string): Int32Array {
    const bytes = this.byteLevel ? this.textEncoder.encode(piece) : null;
    if (this.model.ignore_merges) {
      const whole = this.vocab.get(bytes ? bytesToCharacters(bytes) : piece);
      if (whole !== undefined) return Int32Array.of(whole);
    }
    return this.merge(
      bytes && this.coversBytes ? this.byteSymbols(bytes) : this.symbols(bytes ? bytesToCharacters(bytes) : piece),
    );
  }

  /** A byte that the vocabulary lacks is dropped, as the original does without an unknown token. */
  private get coversBytes(): boolean {
    const { unk_token, byte_fallback, continuing_subword_prefix, end_of_word_suffix } = this.model;
    return !unk_token && !byte_fallback && !continuing_subword_prefix && !end_of_word_suffix;
  }

  private byteSymbols(bytes: Uint8Array): Int32Array {
    return Int32Array.from(bytes, (byte) => this.byteIds[byte]).filter((id) => id >= 0);
  }

  /** Ids of the characters of `piece`, before any merge. */
  private symbols(piece: string): Int32Array {
    const { continuing_subword_prefix: prefix, end_of_word_suffix: suffix, unk_token, fuse_unk } = this.model;
    const ids: number[] = [];
    // An unknown token waits for the next known character, so that others can be fused with it.
    let waiting = -1;
    for (let i = 0; i < piece.length; ) {
      const start = i;
      i += piece.codePointAt(i)! > 0xffff ? 2 : 1;
      let symbol = piece.slice(start, i);
      if (prefix && start > 0) symbol = prefix + symbol;
      if (suffix && i === piece.length) symbol += suffix;
      const id = this.vocab.get(symbol);
      if (id !== undefined) {
        if (waiting >= 0) ids.push(waiting);
        waiting = -1;
        ids.push(id);
      } else if (!this.fallBack(symbol, ids) && unk_token) {
        if (waiting >= 0 && !fuse_unk) ids.push(waiting);
        waiting = unknownId(this.model, this.vocab);
      }
    }
    if (waiting >= 0) ids.push(waiting);
    return Int32Array.from(ids);
  }

  /** Appends the ids of the bytes of `symbol`; false if there are none for them. */
  private fallBack(symbol: string, ids: number[]): boolean {
    if (!this.model.byte_fallback) return false;
    const bytes = Array.from(this.textEncoder.encode(symbol), (byte) => this.byteTokenId(byte));
    if (bytes.some((id) => id < 0)) return false;
    for (const id of bytes) ids.push(id);
    return true;
  }

  private byteTokenId(byte: number): number {
    return this.byteLevel ? (this.vocab.get(byteToken(byte)) ?? -1) : this.byteIds[byte];
  }

  /** Merges the symbols `ids`, which are changed. */
  private merge(ids: Int32Array): Int32Array {
    const count = ids.length;
    if (count < 2) return ids;
    // A doubly linked list over the start positions of the symbols; a merged-away symbol has id -1.
    const next = new Int32Array(count);
    const previous = new Int32Array(count);
    const { heap, merges, ranks, mergedIds } = this;
    const offer = (position: number, follower: number): void => {
      const merge = merges.get(ids[position], ids[follower]);
      if (merge >= 0) heap.push(ranks[merge] * positions + position);
    };
    heap.clear();
    for (let i = 0; i < count; i++) {
      next[i] = i + 1;
      previous[i] = i - 1;
      if (i + 1 < count) offer(i, i + 1);
    }
    let symbols = count;
    while (heap.size > 0) {
      const key = heap.pop()!;
      const position = key % positions;
      const rank = (key - position) / positions;
      const follower = next[position];
      // An entry is stale once either symbol of its pair has been merged into another.
      if (ids[position] < 0 || follower >= count) continue;
      const merge = merges.get(ids[position], ids[follower]);
      if (merge < 0 || ranks[merge] !== rank) continue;
      ids[position] = mergedIds[merge];
      ids[follower] = -1;
      symbols--;
      next[position] = next[follower];
      if (next[position] < count) {
        previous[next[position]] = position;
        offer(position, next[position]);
      }
      if (previous[position] >= 0) offer(previous[position], position);
    }
    const merged = new Int32Array(symbols);
    for (let i = 0, out = 0; i < count; i = next[i]) merged[out++] = ids[i];
    return merged;
  }
}
