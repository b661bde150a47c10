/**
 * Q4_1: blocks of 32 values in 20 bytes.
 *
 *   bytes 0-1    float16 d
 *   bytes 2-3    float16 m
 *   bytes 4-19   codes of 4 bits: code m in the lower, code 16 + m in the upper half of byte 4 + m, m < 16
 *                value = code * d + m, rounded to float32 (`minimum_blocks.ts`)
 *
 * Read only. Source: ggml's ggml-quants.
 */
import { unpackMinimumBlocks } from "./minimum_blocks.ts";
import type { ReadOnlyTensorType } from "./tensor_type.ts";

export const q4_1 = {
  kind: "read only",
  name: "Q4_1",
  id: 3,
  blockElements: 32,
  blockBytes: 20,
  tailBytes: 0,
  inMemory: { elements: 32, bytes: 128 },
  unpackRow: unpackMinimumBlocks(4),
} as const satisfies ReadOnlyTensorType;
