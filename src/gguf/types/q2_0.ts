/**
 * Q2_0: four levels, 2 bits per element; blocks of 64 elements in 18 bytes (`two_bit_groups.ts`).
 *
 * Ternary where no level is 2. Source: block_q2_0 of llama.cpp, since July 2026. Forks gave the number to other layouts
 * (`type_number.ts`).
 */
import { float32ToFloat16 } from "../../quant/float16.ts";
import { writeUint16 } from "./half_floats.ts";
import type { CodeTensorType } from "./tensor_type.ts";
import { unpackTwoBitGroups } from "./two_bit_groups.ts";

const blockElements = 64;
const blockBytes = 18;

export const q2_0 = {
  kind: "codes",
  name: "Q2_0",
  id: 42,
  fileType: 41,
  blockElements,
  blockBytes,
  tailBytes: 0,
  holds: { levels: [-1, 0, 1, 2], scales: "block", scaleDtype: "f16" },
  packRow(levels: Int8Array, scales: Float32Array, out: Uint8Array, offset: number) {
    for (let block = 0; block < levels.length / blockElements; block++) {
      const at = offset + block * blockBytes;
      writeUint16(out, at, float32ToFloat16(scales[block]));
      for (let byte = 0; byte < blockElements / 4; byte++) {
        const e = block * blockElements + 4 * byte;
        out[at + 2 + byte] =
          (levels[e] + 1) | ((levels[e + 1] + 1) << 2) | ((levels[e + 2] + 1) << 4) | ((levels[e + 3] + 1) << 6);
      }
    }
  },
  unpackRow: unpackTwoBitGroups(blockElements),
} as const satisfies CodeTensorType;
