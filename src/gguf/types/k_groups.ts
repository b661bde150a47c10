/** What Q4_K and Q5_K share: super-blocks of 8 groups, whose scales and minima have 6 bits each, in 12 bytes. */
import { float16ToFloat32 } from "../../quant/float16.ts";
import { readUint16 } from "./half_floats.ts";

/** Those of group j (0 to 7). The upper four groups are split between two bytes. */
function kGroup(bytes: Uint8Array, at: number, j: number): [scale: number, minimum: number] {
  if (j < 4) return [bytes[at + j] & 63, bytes[at + j + 4] & 63];
  return [
    (bytes[at + j + 4] & 15) | ((bytes[at + j - 4] >> 6) << 4),
    (bytes[at + j + 4] >> 4) | ((bytes[at + j] >> 6) << 4),
  ];
}

const blockElements = 256;

/**
 * Fills `values` with `(d * scale) * code - dmin * minimum`; d and dmin are the first four bytes of a block.
 * @param codeOf the code of value `within` of the block that begins at byte `block`; its group is within >> 5
 */
export function unpackKGroups(
  bytes: Uint8Array,
  offset: number,
  values: Float32Array,
  blockBytes: number,
  codeOf: (bytes: Uint8Array, block: number, within: number) => number,
): void {
  const float16At = (at: number) => float16ToFloat32(readUint16(bytes, at));
  for (let i = 0; i < values.length; i++) {
    const block = offset + Math.floor(i / blockElements) * blockBytes;
    const within = i % blockElements;
    const [scale, minimum] = kGroup(bytes, block + 4, within >> 5);
    values[i] = float16At(block) * scale * codeOf(bytes, block, within) - float16At(block + 2) * minimum;
  }
}

/** Codes of 4 bits, two a byte, that begin at byte `at`. */
export function fourBits(bytes: Uint8Array, at: number, within: number): number {
  return (bytes[at + (within >> 6) * 32 + (within & 31)] >> (((within >> 5) & 1) * 4)) & 15;
}
