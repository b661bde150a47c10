/**
 * Hash table from a pair of ids to a non-negative integer: open addressing in three Int32Arrays, about four times
 * as fast as a `Map` with composed keys and without its 40 bytes an entry. Grows at three quarters full.
 */
export class PairTable {
  private lefts: Int32Array;
  private rights: Int32Array;
  /** -1: the slot is free. */
  private values: Int32Array;
  private count = 0;

  constructor(expectedSize = 1024) {
    let capacity = 1024;
    while (capacity * 3 < expectedSize * 4) capacity *= 2;
    this.lefts = new Int32Array(capacity);
    this.rights = new Int32Array(capacity);
    this.values = new Int32Array(capacity).fill(-1);
  }

  get size(): number {
    return this.count;
  }

  /** Value of the pair, or -1. */
  get(left: number, right: number): number {
    return this.values[this.slot(left, right)];
  }

  set(left: number, right: number, value: number): void {
    let slot = this.slot(left, right);
    if (this.values[slot] < 0) {
      if (++this.count * 4 > this.values.length * 3) {
        this.grow();
        slot = this.slot(left, right);
      }
      this.lefts[slot] = left;
      this.rights[slot] = right;
    }
    this.values[slot] = value;
  }

  /** The slot that holds the pair, or the free one where it belongs. */
  private slot(left: number, right: number): number {
    const mask = this.values.length - 1;
    // Two odd multipliers (golden ratio, MurmurHash3's c1) and a shift: neighbouring ids spread over all bits.
    let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0xcc9e2d51);
    hash ^= hash >>> 15;
    let slot = hash & mask;
    while (this.values[slot] >= 0 && (this.lefts[slot] !== left || this.rights[slot] !== right)) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  private grow(): void {
    const { lefts, rights, values } = this;
    this.lefts = new Int32Array(values.length * 2);
    this.rights = new Int32Array(values.length * 2);
    this.values = new Int32Array(values.length * 2).fill(-1);
    for (let i = 0; i < values.length; i++) {
      if (values[i] < 0) continue;
      const slot = this.slot(lefts[i], rights[i]);
      this.lefts[slot] = lefts[i];
      this.rights[slot] = rights[i];
      this.values[slot] = values[i];
    }
  }
}
