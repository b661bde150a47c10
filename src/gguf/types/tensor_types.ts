/** The tensor types that we read; those that can be written in the order in which they are offered. */
import type { EmbeddingDtype } from "../../quant/dtypes.ts";
import { bf16 } from "./bf16.ts";
import { f16 } from "./f16.ts";
import { f32 } from "./f32.ts";
import { i2_s } from "./i2_s.ts";
import { pq2_0 } from "./pq2_0.ts";
import { ptq1_0 } from "./ptq1_0.ts";
import { q1_0 } from "./q1_0.ts";
import { q2_0 } from "./q2_0.ts";
import { q4_0 } from "./q4_0.ts";
import { q4_1 } from "./q4_1.ts";
import { q4_k } from "./q4_k.ts";
import { q5_0 } from "./q5_0.ts";
import { q5_1 } from "./q5_1.ts";
import { q5_k } from "./q5_k.ts";
import { q6_k } from "./q6_k.ts";
import { q8_0, q8_0Rows } from "./q8_0.ts";
import { stq1_0 } from "./stq1_0.ts";
import type { FloatTensorType, ReadOnlyCodeType, ReadOnlyTensorType } from "./tensor_type.ts";
import { tq1_0 } from "./tq1_0.ts";
import { tq2_0 } from "./tq2_0.ts";

export const tensorTypes = [
  tq2_0,
  tq1_0,
  i2_s,
  q2_0,
  f16,
  f32,
  bf16,
  q8_0,
  q6_k,
  q5_k,
  q4_k,
  q5_0,
  q4_0,
  q1_0,
  pq2_0,
  ptq1_0,
  stq1_0,
  q5_1,
  q4_1,
] as const;

type Listed = (typeof tensorTypes)[number];
export type TensorTypeName = Listed["name"];
export type WritableTypeName = Exclude<Listed, ReadOnlyTensorType | ReadOnlyCodeType>["name"];

/** The type that holds what training rounds to `dtype`. */
export function floatTypeOf(dtype: EmbeddingDtype): FloatTensorType {
  if (dtype === q8_0Rows.dtype) return q8_0Rows;
  for (const type of tensorTypes) if (type.kind === "floats" && type.dtype === dtype) return type;
  throw new RangeError(`no tensor type holds ${dtype}`);
}
