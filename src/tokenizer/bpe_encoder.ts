/**
 * Byte-pair encoding of one piece of text: start from its bytes, and merge the adjacent pair of lowest rank (the
 * leftmost of equals) until no pair has a rank. Same ids as Hugging Face's `BPE` model.
 */
import { BinaryHeap } from "./binary_heap.ts";
import { byteCharacters, bytesToCharacters } from "./byte_alphabet.ts";
import { ownString } from "./own_string.ts";
import { PairTable } from "./pair_table.ts";
import { type BpeModelJson, TokenizerError } from "./tokenizer_json.ts";

/** Heap keys are `rank * positions + position`, exact in a double for ranks below 2^21. */
const positions = 2 ** 32;
/** Distinct pieces kept with their ids: covers nearly all of running text in a few MB. */
const maxCachedPieces = 1 << 16;
const maxCachedLength = 64;

export class BpeEncoder {
  private readonly byteIds = new Int32Array(256);
  private readonly ranks: PairTable;
  /** Id that the merge of each rank makes. */
  private readonly mergedIds: Int32Array;
  private readonly wholePieces: ReadonlyMap<string, number> | null;
  private readonly heap = new BinaryHeap<number>((a, b) => a < b);
  private readonly cache = new Map<string, Int32Array>();
  private readonly textEncoder = new TextEncoder();

  /** @throws {TokenizerError} if a merge names a token that is not in the vocabulary. */
  constructor(model: BpeModelJson) {
    const vocab = new Map(Object.entries(model.vocab));
    for (let byte = 0; byte < 256; byte++) this.byteIds[byte] = vocab.get(byteCharacters[byte]) ?? -1;
    this.ranks = new PairTable(model.merges.length);
    this.mergedIds = new Int32Array(model.merges.length);
    model.merges.forEach((merge, rank) => {
      const [left, right] = typeof merge === "string" ? merge.split(" ") : merge;
      const leftId = vocab.get(left);
      const rightId = vocab.get(right);
      const mergedId = vocab.get(left + right);
      if (leftId === undefined || rightId === undefined || mergedId === undefined) {
        throw new TokenizerError(`merge ${rank} of the tokenizer, ${JSON.stringify(merge)}, is not in its vocabulary`);
      }
      this.ranks.set(leftId, rightId, rank);
      this.mergedIds[rank] = mergedId;
    });
    this.wholePieces = model.ignore_merges ? vocab : null;
  }

  /** Appends the ids of `piece` to `ids`. */
  encodePiece(piece: string, ids: number[]): void {
    let encoded = this.cache.get(piece);
    if (encoded === undefined) {
      encoded = this.merge(this.textEncoder.encode(piece));
      if (piece.length <= maxCachedLength) {
        if (this.cache.size >= maxCachedPieces) this.cache.clear();
        this.cache.set(ownString(piece), encoded);
      }
    }
    for (let i = 0; i < encoded.length; i++) ids.push(encoded[i]);
  }

  private merge(bytes: Uint8Array): Int32Array {
    const whole = this.wholePieces?.get(bytesToCharacters(bytes));
    if (whole !== undefined) return Int32Array.of(whole);
    // A byte that the vocabulary lacks is dropped, as the original does without an unknown token.
    const ids = Int32Array.from(bytes, (byte) => this.byteIds[byte]).filter((id) => id >= 0);
    const count = ids.length;
    // A doubly linked list over the start positions of the symbols; a merged-away symbol has id -1.
    const next = new Int32Array(count);
    const previous = new Int32Array(count);
    const { heap, ranks, mergedIds } = this;
    const offer = (position: number, follower: number): void => {
      const rank = ranks.get(ids[position], ids[follower]);
      if (rank >= 0) heap.push(rank * positions + position);
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
      if (ids[position] < 0 || follower >= count || ranks.get(ids[position], ids[follower]) !== rank) continue;
      ids[position] = mergedIds[rank];
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
