/**
 * Q5_1: blocks of 32 values in 24 bytes.
 *
 *   bytes 0-1    float16 d
 *   bytes 2-3    float16 m
 *   bytes 4-7    the fifth bit of code i in byte 4 + i / 8, at bit i % 8
 *   bytes 8-23   the lower 4 bits: code m in the lower, code 16 + m in the upper half of byte 8 + m, m < 16
 *                value = code * d + m, rounded to float32 (`minimum_blocks.ts`)
 *
 * Read only. Source: ggml's ggml-quants.
 */
import { unpackMinimumBlocks } from "./minimum_blocks.ts";
import type { ReadOnlyTensorType } from "./tensor_type.ts";

export const q5_1 = {
  kind: "read only",
  name: "Q5_1",
  id: 7,
  blockElements: 32,
  blockBytes: 24,
  tailBytes: 0,
  inMemory: { elements: 32, bytes: 128 },
  unpackRow: unpackMinimumBlocks(5),
} as const satisfies ReadOnlyTensorType;
