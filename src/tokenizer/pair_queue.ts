/** Pairs of symbols by how often they occur, the most frequent first: a binary heap in typed arrays. */
import { GrowingArray } from "./growing_arrays.ts";

export interface QueuedPair {
  pair: number;
  count: number;
}

export class PairQueue {
  private readonly pairs = new GrowingArray(new Int32Array(1024));
  private readonly counts = new GrowingArray(new Float64Array(1024));
  /** Whether pair `a` goes before `b` where they occur equally often. */
  private readonly precedes: (a: number, b: number) => boolean;

  constructor(precedes: (a: number, b: number) => boolean) {
    this.precedes = precedes;
  }

  push(pair: number, count: number): void {
    let hole = this.pairs.length;
    this.pairs.push(pair);
    this.counts.push(count);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (!this.goesBefore(pair, count, parent)) break;
      this.move(parent, hole);
      hole = parent;
    }
    this.put(hole, pair, count);
  }

  /** Removes and returns the first; undefined when there is none. */
  pop(): QueuedPair | undefined {
    if (this.pairs.length === 0) return undefined;
    const first = { pair: this.pairs.values[0], count: this.counts.values[0] };
    const size = --this.pairs.length;
    this.counts.length = size;
    const [pair, count] = [this.pairs.values[size], this.counts.values[size]];
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= size) break;
      const other = child + 1;
      if (other < size && this.goesBefore(this.pairs.values[other], this.counts.values[other], child)) child = other;
      if (this.goesBefore(pair, count, child)) break;
      this.move(child, hole);
      hole = child;
    }
    if (size > 0) this.put(hole, pair, count);
    return first;
  }

  private goesBefore(pair: number, count: number, entry: number): boolean {
    const other = this.counts.values[entry];
    return count !== other ? count > other : this.precedes(pair, this.pairs.values[entry]);
  }

  private move(from: number, to: number): void {
    this.put(to, this.pairs.values[from], this.counts.values[from]);
  }

  private put(entry: number, pair: number, count: number): void {
    this.pairs.values[entry] = pair;
    this.counts.values[entry] = count;
  }
}
