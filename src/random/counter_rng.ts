/**
 * Counter-based random numbers: value i of a stream is a hash of (seed, stream, i), so a stream can be resumed or
 * entered anywhere by its counter, and streams with different names never share values.
 *
 * The hash is two rounds of the 32-bit finalizer "lowbias32" (Chris Wellons, hash-prospector) over the key and the
 * counter. Statistical quality is ample for shuffling, initialization and sampling; it is not cryptographic.
 */

/** The finalizer "lowbias32": a bijection of 32-bit integers whose bits all depend on all bits of `value`. */
export function mix32(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
}

/** FNV-1a of a name: of a stream, or of a place in a model. */
export function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash | 0;
}

export class CounterRng {
  /** Index of the next value: save and set it to resume a stream. */
  counter: number;
  private readonly key0: number;
  private readonly key1: number;

  /** @param seed any integer; @param stream name of the use ("init", "shuffle" ...). */
  constructor(seed: number, stream: string, counter = 0) {
    const high = Math.floor(seed / 2 ** 32) | 0;
    this.key0 = mix32((seed | 0) ^ mix32(high + 0x9e3779b9) ^ hashName(stream));
    this.key1 = mix32(this.key0 + 0x85ebca6b) ^ hashName(stream);
    this.counter = counter;
  }

  /** Uniform integer in [0, 2^32). */
  uint32(): number {
    const index = this.counter++;
    const low = index | 0;
    const high = Math.floor(index / 2 ** 32) | 0;
    return mix32(mix32(low ^ this.key0) + Math.imul(high ^ this.key1, 0x9e3779b1) + this.key1) >>> 0;
  }

  /** Uniform in [0, 1) with 53 bits (two values of the stream). */
  uniform(): number {
    const high = this.uint32() >>> 5;
    return (high * 67108864 + (this.uint32() >>> 6)) / 9007199254740992;
  }

  /** Uniform integer in [0, bound); bound in [1, 2^32]. The bias is below 2^-21 for bounds below 2^32. */
  integer(bound: number): number {
    return Math.floor(this.uniform() * bound);
  }

  /** One element, uniformly. @throws {RangeError} if the list is empty. */
  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError("pick from an empty list");
    return items[this.integer(items.length)]!;
  }

  /** Fisher-Yates shuffle in place; returns the same array. */
  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [items[i], items[j]] = [items[j]!, items[i]!];
    }
    return items;
  }

  /** Standard normal by Box-Muller (one of the pair; the other is not kept, so the counter says all). */
  normal(): number {
    const u = 1 - this.uniform();
    return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * this.uniform());
  }
}
