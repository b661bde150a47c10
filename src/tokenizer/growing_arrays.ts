/** Arrays of numbers that grow, outside of JavaScript's heap: 4 or 8 bytes an entry, whatever the heap's limit is. */

type Numbers = Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** Entries beyond `length` are undefined. */
export class GrowingArray<A extends Numbers> {
  length = 0;
  values: A;

  constructor(values: A) {
    this.values = values;
  }

  push(value: number): void {
    if (this.length === this.values.length) {
      const Kind = this.values.constructor as new (length: number) => A;
      const grown = new Kind(Math.max(1024, 2 * this.length));
      grown.set(this.values);
      this.values = grown;
    }
    this.values[this.length++] = value;
  }
}

const pageBits = 20;
const pageSize = 1 << pageBits;
const largestBlock = 1 << 12;
const none = -1;

/**
 * Many lists of non-negative integers in shared pages: `lists` knows where each begins. A list is a chain of blocks, each
 * twice as large as the one before: [next block, how many entries fit, entries ...]. Blocks of a list that is taken are used
 * again.
 */
export class IntegerLists {
  private readonly pages: Int32Array[] = [];
  private used = pageSize;
  private readonly heads = new GrowingArray(new Int32Array(1024));
  private readonly tails = new GrowingArray(new Int32Array(1024));
  /** Entries in the last block. */
  private readonly fills = new GrowingArray(new Int32Array(1024));
  /** Free blocks by how many entries they take. */
  private readonly free = new Map<number, number[]>();

  /** A new list, empty; its number. */
  add(): number {
    this.heads.push(none);
    this.tails.push(none);
    this.fills.push(0);
    return this.heads.length - 1;
  }

  /** The last entry of a list; -1 if it has none. */
  last(list: number): number {
    const tail = this.tails.values[list];
    return tail === none ? none : this.pages[tail >> pageBits][(tail & (pageSize - 1)) + 1 + this.fills.values[list]];
  }

  append(list: number, value: number): void {
    let tail = this.tails.values[list];
    let fill = this.fills.values[list];
    if (tail === none || fill === this.capacity(tail)) {
      const block = this.block(tail === none ? 1 : Math.min(largestBlock, 2 * this.capacity(tail)));
      if (tail === none) this.heads.values[list] = block;
      else this.pages[tail >> pageBits][tail & (pageSize - 1)] = block;
      this.tails.values[list] = block;
      tail = block;
      fill = 0;
    }
    this.pages[tail >> pageBits][(tail & (pageSize - 1)) + 2 + fill] = value;
    this.fills.values[list] = fill + 1;
  }

  /** The entries, in order; the list is empty afterwards. */
  take(list: number): number[] {
    const values: number[] = [];
    const tail = this.tails.values[list];
    for (let block = this.heads.values[list]; block !== none; ) {
      const page = this.pages[block >> pageBits];
      const start = (block & (pageSize - 1)) + 2;
      const count = block === tail ? this.fills.values[list] : page[start - 1];
      for (let i = 0; i < count; i++) values.push(page[start + i]);
      const free = this.free.get(page[start - 1]);
      if (free === undefined) this.free.set(page[start - 1], [block]);
      else free.push(block);
      block = page[start - 2];
    }
    this.heads.values[list] = none;
    this.tails.values[list] = none;
    this.fills.values[list] = 0;
    return values;
  }

  private capacity(block: number): number {
    return this.pages[block >> pageBits][(block & (pageSize - 1)) + 1];
  }

  private block(capacity: number): number {
    const known = this.free.get(capacity)?.pop();
    const block = known ?? this.newBlock(capacity + 2);
    const page = this.pages[block >> pageBits];
    page[block & (pageSize - 1)] = none;
    page[(block & (pageSize - 1)) + 1] = capacity;
    return block;
  }

  private newBlock(size: number): number {
    if (this.used + size > pageSize) {
      this.pages.push(new Int32Array(pageSize));
      this.used = 0;
    }
    const block = (this.pages.length - 1) * pageSize + this.used;
    this.used += size;
    return block;
  }
}
