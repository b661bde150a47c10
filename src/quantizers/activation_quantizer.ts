/** An activation quantizer as a value: what config, layers, export and engine ask. One file a quantizer. */
import type { z } from "zod";

export interface QuantizedRows {
  /** Row-major like the activations. */
  codes: Int8Array;
  /** One per row; multiplies. */
  actScales: Float32Array;
}

/** Codes and scales that the kernels make, in training and in the engine: their words for them. */
export type ActivationCodes = "absmax_int8" | "absmax_int4" | "absmean_int4";

/** Straight-through: the gradient with respect to the codes' values is that of x, also where a code is left out. */
export interface ActivationQuantizer {
  /** `model.activation_quantizer`, or its `type`. */
  readonly name: string;
  readonly bits: number;
  /** Who shares a scale: the activations of one token. */
  readonly per: "token";
  readonly codes: ActivationCodes;
  /** Share of a row's activations, the largest ones, whose codes stay; those of the others are 0. */
  readonly keep: number;
  /** Codes and scales of x [rows, cols]. */
  quantize(x: Float32Array, rows: number, cols: number): QuantizedRows;
}

/** What a quantizer's file exports. Null stands for activations as they are. */
export interface ActivationQuantizerDefinition<Options extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  /** Strict schema of the options beside `type`, each with a default. */
  readonly options: Options;
  create(options: z.output<Options>): ActivationQuantizer | null;
}

/** What makes the codes of one row x[begin .. begin + cols) at the same place, and returns its scale. */
export type RowQuantizer = (x: Float32Array, begin: number, cols: number, codes: Int8Array) => number;

/** Every row of x [rows, cols]. */
export function quantizeRows(row: RowQuantizer, x: Float32Array, rows: number, cols: number): QuantizedRows {
  const codes = new Int8Array(rows * cols);
  const actScales = Float32Array.from({ length: rows }, (_, i) => row(x, i * cols, cols, codes));
  return { codes, actScales };
}

/** A quantizer of all activations of a row, without options. */
export function rowQuantizer(
  codes: ActivationCodes,
  bits: number,
  row: RowQuantizer,
): ActivationQuantizerDefinition["create"] {
  return () => ({
    name: codes,
    bits,
    per: "token",
    codes,
    keep: 1,
    quantize: (x, rows, cols) => quantizeRows(row, x, rows, cols),
  });
}
