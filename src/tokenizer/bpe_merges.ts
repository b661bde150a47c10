/**
 * Learns byte-pair merges: again and again the most frequent adjacent pair of symbols becomes one symbol. Ties go to
 * the pair with the smaller left id, then the smaller right id, so equal input gives equal merges (and the same ones
 * as Hugging Face's BpeTrainer).
 *
 * Pair counts are kept up to date instead of being counted anew: a merge touches only the words in which its pair was
 * seen. The queue is lazy: an entry whose count is out of date goes back with the right one. All that grows with the text
 * lies in typed arrays, outside of JavaScript's heap.
 */
import { GrowingArray, IntegerLists } from "./growing_arrays.ts";
import { PairQueue } from "./pair_queue.ts";
import { PairTable } from "./pair_table.ts";

/** Distinct words as byte strings, with how often each occurs. */
export interface WordCounts {
  /** Initial symbol ids of all words, one after the other. */
  symbols: Int32Array;
  /** Where each word begins; one more than there are words. */
  starts: Float64Array;
  counts: Float64Array;
}

/** Ids of the two symbols that become one. */
export interface Merge {
  left: number;
  right: number;
}

class PairStatistics {
  readonly lefts = new GrowingArray(new Int32Array(1024));
  readonly rights = new GrowingArray(new Int32Array(1024));
  readonly counts = new GrowingArray(new Float64Array(1024));
  /** Words in which the pair was seen, possibly repeated, possibly no longer. */
  readonly words = new IntegerLists();
  private readonly index = new PairTable();

  /** Adds `change` to the count of a pair in `word`; returns the pair. */
  add(left: number, right: number, change: number, word: number): number {
    let pair = this.index.get(left, right);
    if (pair < 0) {
      pair = this.words.add();
      this.index.set(left, right, pair);
      this.lefts.push(left);
      this.rights.push(right);
      this.counts.push(0);
    }
    this.counts.values[pair] += change;
    if (change > 0 && this.words.last(pair) !== word) this.words.append(pair, word);
    return pair;
  }
}

/**
 * Merges in order of rank.
 * @param words changed in place: on return each holds its merged symbols in front.
 * @param intern gives the id of the merged symbol: a new one, unless two ways lead to the same text.
 * @param wanted called before each merge; false ends the learning (the vocabulary is full).
 * @param minFrequency pairs that occur less often are not merged.
 */
export function learnMerges(
  { symbols, starts, counts }: WordCounts,
  intern: (left: number, right: number) => number,
  wanted: () => boolean,
  minFrequency: number,
): Merge[] {
  const lengths = Int32Array.from(counts, (_, index) => starts[index + 1] - starts[index]);
  const pairs = new PairStatistics();
  for (let index = 0; index < counts.length; index++) {
    const end = starts[index] + lengths[index];
    for (let i = starts[index]; i + 1 < end; i++) pairs.add(symbols[i], symbols[i + 1], counts[index], index);
  }
  const { lefts, rights } = pairs;
  const queue = new PairQueue((a, b) => {
    const [left, otherLeft] = [lefts.values[a], lefts.values[b]];
    return left !== otherLeft ? left < otherLeft : rights.values[a] < rights.values[b];
  });
  // Rarer ones are not merged; one that becomes frequent enough comes into the queue then.
  const least = Math.max(1, minFrequency);
  const enqueue = (pair: number) => {
    const count = pairs.counts.values[pair];
    if (count >= least) queue.push(pair, count);
  };
  for (let pair = 0; pair < pairs.counts.length; pair++) enqueue(pair);

  const merges: Merge[] = [];
  const grown = new Set<number>();
  while (wanted()) {
    const top = queue.pop();
    if (!top) break;
    if (pairs.counts.values[top.pair] !== top.count) {
      enqueue(top.pair);
      continue;
    }
    const left = lefts.values[top.pair];
    const right = rights.values[top.pair];
    const merged = intern(left, right);
    merges.push({ left, right });
    grown.clear();
    for (const index of pairs.words.take(top.pair)) {
      const start = starts[index];
      const occurrences = counts[index];
      const end = start + lengths[index];
      let out = start;
      for (let i = start; i < end; i++, out++) {
        if (i + 1 >= end || symbols[i] !== left || symbols[i + 1] !== right) {
          symbols[out] = symbols[i];
          continue;
        }
        if (out > start) {
          pairs.add(symbols[out - 1], left, -occurrences, index);
          grown.add(pairs.add(symbols[out - 1], merged, occurrences, index));
        }
        if (i + 2 < end) {
          pairs.add(right, symbols[i + 2], -occurrences, index);
          grown.add(pairs.add(merged, symbols[i + 2], occurrences, index));
        }
        symbols[out] = merged;
        i++;
      }
      lengths[index] = out - start;
    }
    pairs.counts.values[top.pair] = 0;
    for (const pair of grown) enqueue(pair);
  }
  return merges;
}
