/**
 * Groups of 2-bit codes behind a float16 scale, the codec of Q2_0 and of PrismML's PQ2_0, which differ in the group.
 *
 *   bytes 0-1   float16 d
 *   then        element e in byte e / 4, at bit 2 * (e % 4);  stored code = level + 1;  value = level * d
 */
import { float16ToFloat32 } from "../../quant/float16.ts";
import { readUint16 } from "./half_floats.ts";

/** `unpackRow` of a type of codes with that many elements a group. */
export function unpackTwoBitGroups(group: number) {
  const groupBytes = 2 + group / 4;
  return (bytes: Uint8Array, offset: number, levels: Int8Array, scales: Float32Array): void => {
    for (let block = 0; block < levels.length / group; block++) {
      const at = offset + block * groupBytes;
      scales[block] = float16ToFloat32(readUint16(bytes, at));
      for (let e = 0; e < group; e++) {
        levels[block * group + e] = ((bytes[at + 2 + (e >> 2)] >> (2 * (e & 3))) & 3) - 1;
      }
    }
  };
}
