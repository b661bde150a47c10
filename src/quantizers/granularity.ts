/** Who shares a scale: the key `scale_per` of quantizers that leave it open, and the walk over weights of one scale. */
import { z } from "zod";
import type { ScaleDtype } from "../quant/dtypes.ts";
import { roundScale } from "../quant/round_to_dtype.ts";
import {
  type MatrixShape,
  type QuantizedMatrix,
  type ScaleGranularity,
  scaleCount,
  type WeightProduct,
} from "./weight_quantizer.ts";

/** Divisors of the blocks of 256 weights in which ternary types pack a row; the smallest costs 0.25 bits a weight. */
export const groupSizes = [64, 128, 256] as const;

const granularities = {
  tensor: { per: "tensor" },
  row: { per: "row" },
  group_64: { per: "group", size: 64 },
  group_128: { per: "group", size: 128 },
  group_256: { per: "group", size: 256 },
} as const satisfies Record<string, ScaleGranularity>;

export type ScalePer = keyof typeof granularities;

/** The key of a quantizer's options. */
export function scalePerKey(byDefault: ScalePer) {
  return z
    .enum(Object.keys(granularities) as ScalePer[])
    .default(byDefault)
    .describe("Who shares a scale: the matrix, a row, or so many neighbours of a row.");
}

export function granularityOf(scalePer: ScalePer): ScaleGranularity {
  return granularities[scalePer];
}

const products = ["integers", "values"] as const;

export type ProductChoice = (typeof products)[number];

/** The key of a quantizer whose groups always had one of the two recorded. */
export function productKey(byDefault: ProductChoice) {
  return z
    .enum(products)
    .default(byDefault)
    .describe(
      "What multiplies: codes, in integers, or dequantized float32 values. Recorded with the model, so that a run " +
        "resumes with the bits of its start.",
    );
}

/** The key of quantizers with `scale_per`, whose files of before do not have it. */
export const optionalProductKey = z
  .enum(products)
  .optional()
  .describe(
    "What multiplies: codes, in integers, or dequantized float32 values. By default integers; with `scale_per: group_...` " +
      "values, as models have that do not say it.",
  );

/** What multiplies codes of -1, 0 and 1. */
export function ternaryProduct({ per }: ScaleGranularity, choice?: ProductChoice): WeightProduct {
  return (choice ?? (per === "group" ? "values" : "integers")) === "values" ? "values" : `ternary_${per}`;
}

/** Weights that share a scale. They are neighbours in memory, and so are the scales. */
export function weightsPerScale(scales: ScaleGranularity, shape: MatrixShape): number {
  return (shape.rows * shape.cols) / scaleCount(scales, shape);
}

/** Writes the codes of `count` weights from `begin`, which share scale number `index`, and returns it before rounding. */
export type QuantizeSpan = (begin: number, count: number, codes: Int8Array, index: number) => number;

/** Codes and rounded scales, one span of weights after the other. */
export function quantizeSpans(
  scales: ScaleGranularity,
  shape: MatrixShape,
  scaleDtype: ScaleDtype,
  quantizeSpan: QuantizeSpan,
): QuantizedMatrix {
  const each = weightsPerScale(scales, shape);
  const codes = new Int8Array(shape.rows * shape.cols);
  const rounded = new Float32Array(scaleCount(scales, shape));
  for (let i = 0; i < rounded.length; i++) {
    rounded[i] = roundScale(quantizeSpan(i * each, each, codes, i), scaleDtype);
  }
  return { codes, scales: rounded };
}
