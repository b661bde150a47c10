/** An activation quantizer as a value: what config, layers, export and engine ask. One file a quantizer. */
import type { z } from "zod";

export interface QuantizedRows {
  /** Row-major like the activations. */
  codes: Int8Array;
  /** One per row; multiplies. */
  actScales: Float32Array;
}

export interface ActivationQuantizer {
  /** `model.activation_quantizer`. */
  readonly name: string;
  readonly bits: number;
  /** Who shares a scale: the activations of one token. */
  readonly per: "token";
  /** The kernels' word for it. Straight-through: the gradient with respect to the codes' values is that of x. */
  readonly fused: "absmax_int8";
  /** The word of the engine's graph; null: no file holds a model that needs it. */
  readonly engine: string | null;
  /** Codes and scales of x [rows, cols]. */
  quantize(x: Float32Array, rows: number, cols: number): QuantizedRows;
}

/** What a quantizer's file exports. Null stands for activations as they are. */
export interface ActivationQuantizerDefinition {
  readonly name: string;
  /** Strict schema of the options beside `type`, each with a default. */
  readonly options: z.ZodObject;
  create(options: Record<string, unknown>): ActivationQuantizer | null;
}
