/** Binary heap: `pop` gives the entry that comes before all others in the order `before`. */
export class BinaryHeap<T> {
  private readonly entries: T[] = [];
  private readonly before: (a: T, b: T) => boolean;

  constructor(before: (a: T, b: T) => boolean) {
    this.before = before;
  }

  get size(): number {
    return this.entries.length;
  }

  clear(): void {
    this.entries.length = 0;
  }

  push(entry: T): void {
    const { entries, before } = this;
    let hole = entries.length;
    entries.push(entry);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (!before(entry, entries[parent])) break;
      entries[hole] = entries[parent];
      hole = parent;
    }
    entries[hole] = entry;
  }

  /** Removes and returns the first entry; undefined when the heap is empty. */
  pop(): T | undefined {
    const { entries, before } = this;
    const first = entries[0];
    const moved = entries.pop();
    const size = entries.length;
    if (moved === undefined || size === 0) return first;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= size) break;
      if (child + 1 < size && before(entries[child + 1], entries[child])) child++;
      if (!before(entries[child], moved)) break;
      entries[hole] = entries[child];
      hole = child;
    }
    entries[hole] = moved;
    return first;
  }
}
