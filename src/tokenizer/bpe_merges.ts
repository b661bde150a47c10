/**
 * Learns byte-pair merges: again and again the most frequent adjacent pair of symbols becomes one symbol. Ties go to
 * the pair with the smaller left id, then the smaller right id, so equal input gives equal merges (and the same ones
 * as Hugging Face's BpeTrainer).
 *
 * Pair counts are kept up to date instead of being counted anew: a merge touches only the words in which its pair was
 * seen. The queue is lazy: an entry whose count is out of date goes back with the right one.
 */
import { BinaryHeap } from "./binary_heap.ts";
import { PairTable } from "./pair_table.ts";

/** Distinct words as byte strings, with how often each occurs. */
export interface WordCounts {
  /** Initial symbol ids of each word. */
  words: Int32Array[];
  counts: Float64Array;
}

/** Ids of the two symbols that become one. */
export interface Merge {
  left: number;
  right: number;
}

interface QueueEntry {
  pair: number;
  count: number;
}

class PairStatistics {
  readonly lefts: number[] = [];
  readonly rights: number[] = [];
  readonly counts: number[] = [];
  /** Words in which the pair was seen, possibly repeated, possibly no longer. */
  readonly words: number[][] = [];
  private readonly index = new PairTable();

  /** Adds `change` to the count of a pair in `word`; returns the pair. */
  add(left: number, right: number, change: number, word: number): number {
    let pair = this.index.get(left, right);
    if (pair < 0) {
      pair = this.counts.length;
      this.index.set(left, right, pair);
      this.lefts.push(left);
      this.rights.push(right);
      this.counts.push(0);
      this.words.push([]);
    }
    this.counts[pair] += change;
    const seen = this.words[pair];
    if (change > 0 && seen[seen.length - 1] !== word) seen.push(word);
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
  { words, counts }: WordCounts,
  intern: (left: number, right: number) => number,
  wanted: () => boolean,
  minFrequency: number,
): Merge[] {
  const lengths = words.map((word) => word.length);
  const pairs = new PairStatistics();
  const { lefts, rights } = pairs;
  words.forEach((word, index) => {
    for (let i = 0; i + 1 < word.length; i++) pairs.add(word[i], word[i + 1], counts[index], index);
  });
  const queue = new BinaryHeap<QueueEntry>((a, b) => {
    if (a.count !== b.count) return a.count > b.count;
    if (lefts[a.pair] !== lefts[b.pair]) return lefts[a.pair] < lefts[b.pair];
    return rights[a.pair] < rights[b.pair];
  });
  pairs.counts.forEach((count, pair) => {
    queue.push({ pair, count });
  });

  const merges: Merge[] = [];
  const grown = new Set<number>();
  while (wanted()) {
    const top = queue.pop();
    if (!top) break;
    const count = pairs.counts[top.pair];
    if (count !== top.count) {
      if (count > 0) queue.push({ pair: top.pair, count });
      continue;
    }
    if (count < Math.max(1, minFrequency)) break;
    const left = lefts[top.pair];
    const right = rights[top.pair];
    const merged = intern(left, right);
    merges.push({ left, right });
    const touched = pairs.words[top.pair];
    pairs.words[top.pair] = [];
    grown.clear();
    for (const index of touched) {
      const word = words[index];
      const occurrences = counts[index];
      const length = lengths[index];
      let out = 0;
      for (let i = 0; i < length; i++, out++) {
        if (i + 1 >= length || word[i] !== left || word[i + 1] !== right) {
          word[out] = word[i];
          continue;
        }
        if (out > 0) {
          pairs.add(word[out - 1], left, -occurrences, index);
          grown.add(pairs.add(word[out - 1], merged, occurrences, index));
        }
        if (i + 2 < length) {
          pairs.add(right, word[i + 2], -occurrences, index);
          grown.add(pairs.add(merged, word[i + 2], occurrences, index));
        }
        word[out] = merged;
        i++;
      }
      lengths[index] = out;
    }
    pairs.counts[top.pair] = 0;
    for (const pair of grown) if (pairs.counts[pair] > 0) queue.push({ pair, count: pairs.counts[pair] });
  }
  return merges;
}
