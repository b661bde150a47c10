/**
 * PQ2_0 of PrismML's fork: Q2_0 with blocks of 128 elements in 34 bytes (`two_bit_groups.ts`). Its first files, those of
 * Ternary-Bonsai, give it llama.cpp's number of Q2_0 (`type_number.ts`). Read only: Q2_0 holds the same, the scale twice.
 *
 * Source: block_pq2_0 of PrismML-Eng/llama.cpp.
 */
import type { ReadOnlyCodeType } from "./tensor_type.ts";
import { unpackTwoBitGroups } from "./two_bit_groups.ts";

export const pq2_0 = {
  kind: "read-only codes",
  name: "PQ2_0",
  id: 142,
  blockElements: 128,
  blockBytes: 34,
  tailBytes: 0,
  inMemory: { elements: 64, bytes: 18 },
  holds: { levels: [-1, 0, 1, 2], scales: "block", scaleDtype: "f16" },
  unpackRow: unpackTwoBitGroups(128),
} as const satisfies ReadOnlyCodeType;
