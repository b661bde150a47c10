/** Packers by tensor type. */
import type { TensorType } from "../gguf_types.ts";
import { bf16 } from "./bf16.ts";
import { f16 } from "./f16.ts";
import { f32 } from "./f32.ts";
import { i2_s } from "./i2_s.ts";
import { q8_0 } from "./q8_0.ts";
import type { FloatRowPacking, TernaryRowPacking } from "./row_packing.ts";
import { tq1_0 } from "./tq1_0.ts";
import { tq2_0 } from "./tq2_0.ts";

export const floatPacking = { F32: f32, F16: f16, BF16: bf16, Q8_0: q8_0 } as const satisfies Partial<
  Record<TensorType, FloatRowPacking>
>;

export const ternaryPacking = { TQ1_0: tq1_0, TQ2_0: tq2_0, I2_S: i2_s } as const satisfies Partial<
  Record<TensorType, TernaryRowPacking>
>;

export type FloatTensorType = keyof typeof floatPacking;
export type TernaryTensorType = keyof typeof ternaryPacking;

export function isTernaryType(type: TensorType): type is TernaryTensorType {
  return type in ternaryPacking;
}
