/**
 * A pseudo-random permutation of 0 ... size - 1 that needs no memory: a Feistel network over the next even number of
 * bits, walked until it falls inside the range (at most four steps on average). One key gives one permutation.
 */

const rounds = 6;
/** Two halves of at most 16 bits. */
const maxSize = 2 ** 32;

/** MurmurHash3's finalizer: every input bit reaches every output bit. */
export function mixBits(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** One 32-bit number of several: depends on each and on their order. */
export function mixKey(...parts: number[]): number {
  let key = 0x9e3779b9;
  for (const part of parts) {
    key = mixBits(key ^ mixBits(part >>> 0));
    // Seeds may be larger than 32 bits.
    key = mixBits(key ^ mixBits(Math.floor(part / 2 ** 32)));
  }
  return key;
}

export class Permutation {
  private readonly size: number;
  private readonly halfBits: number;
  private readonly keys: Uint32Array;

  /** @throws {RangeError} unless 1 <= size <= 2^32. */
  constructor(size: number, key: number) {
    if (!(size >= 1 && size <= maxSize)) throw new RangeError(`a permutation of ${size} elements`);
    this.size = size;
    let bits = 2;
    while (2 ** bits < size) bits += 2;
    this.halfBits = bits / 2;
    this.keys = Uint32Array.from({ length: rounds }, (_, round) => mixKey(key, round));
  }

  /** Where element `index` (0 ... size - 1) goes. */
  at(index: number): number {
    const half = 2 ** this.halfBits;
    let value = index;
    do {
      let left = Math.floor(value / half);
      let right = value % half;
      for (const key of this.keys) {
        const mixed = mixBits(right ^ key) % half;
        [left, right] = [right, (left ^ mixed) >>> 0];
      }
      value = left * half + right;
    } while (value >= this.size);
    return value;
  }
}
