/** Digits of base 3 (ternary + 1), five to a byte, as TQ1_0 and PrismML's PTQ1_0 store them. */

/**
 * Bytes that share an order: digit n of byte `byte + m`, the first one most significant, is element
 * `first + m + count * n`, n < digits.
 */
export interface DigitRun {
  readonly byte: number;
  readonly count: number;
  readonly first: number;
  readonly digits: number;
}

/** Levels of a block from the bytes at `at`. A byte holds ceil(v * 256 / 243): times 3, the next digit is the carry. */
export function unpackDigits(
  runs: readonly DigitRun[],
  bytes: Uint8Array,
  at: number,
  levels: Int8Array,
  base: number,
): void {
  for (const { byte, count, first, digits } of runs) {
    for (let m = 0; m < count; m++) {
      let rest = bytes[at + byte + m];
      for (let n = 0; n < digits; n++) {
        rest *= 3;
        levels[base + first + m + count * n] = (rest >> 8) - 1;
        rest &= 255;
      }
    }
  }
}
