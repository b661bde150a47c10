/**
 * Python's `random.Random(seed)`, to the draw: lm-evaluation-harness picks its few-shot examples with it.
 *
 * MT19937 (Matsumoto and Nishimura, 1998) seeded by `init_by_array`, and `Random.sample` of CPython 3.11 and later.
 */

const stateSize = 624;
const shift = 397;

export class PythonRandom {
  private readonly state = new Uint32Array(stateSize);
  private index = stateSize;

  /** @param seed integer in [0, 2^32). */
  constructor(seed: number) {
    this.seedByArray([seed]);
  }

  /** Integer of `bits` random bits, 1 to 32. */
  getrandbits(bits: number): number {
    return this.uint32() >>> (32 - bits);
  }

  /** Uniform in [0, 1), 53 bits. */
  random(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /** Uniform integer in [0, bound); bound in [1, 2^32). */
  randbelow(bound: number): number {
    const bits = 32 - Math.clz32(bound);
    let value = this.getrandbits(bits);
    while (value >= bound) value = this.getrandbits(bits);
    return value;
  }

  /** `count` different indices below `size`, as `random.sample(range(size), count)`. */
  sampleIndices(size: number, count: number): number[] {
    if (count > size) throw new RangeError(`sample of ${count} from ${size}`);
    // CPython keeps a pool where that takes less memory than a set of the chosen.
    let setSize = 21;
    if (count > 5) setSize += 4 ** Math.ceil(Math.log(count * 3) / Math.log(4));
    return size <= setSize ? this.sampleFromPool(size, count) : this.sampleWithSet(size, count);
  }

  private sampleFromPool(size: number, count: number): number[] {
    const pool = Array.from({ length: size }, (_, i) => i);
    return Array.from({ length: count }, (_, i) => {
      const j = this.randbelow(size - i);
      const chosen = pool[j];
      pool[j] = pool[size - i - 1];
      return chosen;
    });
  }

  private sampleWithSet(size: number, count: number): number[] {
    const chosen = new Set<number>();
    while (chosen.size < count) {
      let j = this.randbelow(size);
      while (chosen.has(j)) j = this.randbelow(size);
      chosen.add(j);
    }
    return [...chosen];
  }

  private seedByArray(key: readonly number[]): void {
    const { state } = this;
    state[0] = 19650218;
    for (let i = 1; i < stateSize; i++) state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
    let i = 1;
    let j = 0;
    for (let k = Math.max(stateSize, key.length); k > 0; k--) {
      state[i] = (state[i] ^ Math.imul(state[i - 1] ^ (state[i - 1] >>> 30), 1664525)) + key[j] + j;
      if (++i === stateSize) {
        state[0] = state[stateSize - 1];
        i = 1;
      }
      if (++j === key.length) j = 0;
    }
    for (let k = stateSize - 1; k > 0; k--) {
      state[i] = (state[i] ^ Math.imul(state[i - 1] ^ (state[i - 1] >>> 30), 1566083941)) - i;
      if (++i === stateSize) {
        state[0] = state[stateSize - 1];
        i = 1;
      }
    }
    state[0] = 0x80000000;
  }

  private uint32(): number {
    if (this.index === stateSize) this.twist();
    let y = this.state[this.index++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  private twist(): void {
    const { state } = this;
    for (let i = 0; i < stateSize; i++) {
      const y = (state[i] & 0x80000000) | (state[(i + 1) % stateSize] & 0x7fffffff);
      state[i] = state[(i + shift) % stateSize] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.index = 0;
  }
}
