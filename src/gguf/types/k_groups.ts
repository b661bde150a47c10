/** Scales and minima of the 8 groups of a super-block of Q4_K and Q5_K: 6 bits each in 12 bytes. */

/** Those of group j (0 to 7). The upper four groups are split between two bytes. */
export function kGroup(bytes: Uint8Array, at: number, j: number): [scale: number, minimum: number] {
  if (j < 4) return [bytes[at + j] & 63, bytes[at + j + 4] & 63];
  return [
    (bytes[at + j + 4] & 15) | ((bytes[at + j - 4] >> 6) << 4),
    (bytes[at + j + 4] >> 4) | ((bytes[at + j] >> 6) << 4),
  ];
}
