/**
 * A weight quantizer as a value: what config, layers, checkpoint, packing rules, export, engine and statistics ask, so
 * that none of them needs to know its name. One file a quantizer, over typed arrays (no tfjs), and one line in
 * `registry.ts`.
 *
 * Making codes and multiplying them are two questions. Levels -1, 0, 1 with one scale per tensor, row or group have an
 * integer product, whoever made the codes; anything else is multiplied as its dequantized `values`, in float32.
 */
import type { z } from "zod";
import type { ScaleDtype } from "../quant/dtypes.ts";

/** Of a row-major matrix [out, in]. */
export interface MatrixShape {
  rows: number;
  cols: number;
}

/** How many weights share a scale: the matrix, a row, or `size` neighbours of a row (which `size` divides). */
export type ScaleGranularity = { per: "tensor" } | { per: "row" } | { per: "group"; size: number };

/** What multiplies, in training and in the engine: ternary codes and their scales in integers, or float32 values. */
export type WeightProduct = "ternary_tensor" | "ternary_row" | "ternary_group" | "values";

/** Kernels that make codes and scales as they multiply. */
export type FusedQuantization =
  | "absmean_tensor"
  | "absmean_row"
  | "absmean_group_64"
  | "absmean_group_128"
  | "absmean_group_256";

export interface QuantizedMatrix {
  /** Row-major as the weight. A code c stands for `levels[c + (levels.length >> 1)]`: ternary codes are their levels. */
  codes: Int8Array;
  /** In memory order: [1], [rows] or [rows * cols / size]. They multiply: rounded to `scaleDtype`. */
  scales: Float32Array;
}

/** A parameter that a quantizer learns for each matrix, beside the matrix in the model: `q_proj.weight_` + `suffix`. */
export interface LearntParameter {
  readonly suffix: string;
  readonly shape: readonly number[];
  /** First value, given that of the latent weight. */
  initial(latent: Float32Array): Float32Array;
}

/** Values of the learnt parameters of one matrix, in the order of `parameters`. */
export type Learnt = readonly Float32Array[];

export interface QuantizerGradients {
  /** Like the latent weight. */
  latent: Float32Array;
  /** In the order of `parameters`. */
  learnt: readonly Float32Array[];
}

export interface RowBias {
  /** [rows] */
  value(latent: Float32Array, shape: MatrixShape, learnt: Learnt): Float32Array;
  /** Gradients by way of the bias, given its own. */
  backward(dbias: Float32Array, latent: Float32Array, shape: MatrixShape, learnt: Learnt): QuantizerGradients;
}

export interface WeightQuantizer {
  /** `model.weight_quantizer`, or its `type`. */
  readonly name: string;
  /** Values of the codes in units of the scale, ascending; odd in number if 0 is one: [-1, 0, 1] is ternary. */
  readonly levels: readonly number[];
  readonly scales: ScaleGranularity;
  readonly scaleDtype: ScaleDtype;
  readonly product: WeightProduct;
  /** The kernel that makes codes and scales with the bits of `quantize`; null: `quantize` itself runs. */
  readonly fused: FusedQuantization | null;
  /** What a reader must add to each output. Left out: nothing. */
  readonly rowBias?: RowBias;
  /** Neighbours of a row whose codes are chosen together: they divide it. Left out: one. */
  readonly blockWeights?: number;
  /** What it learns for a matrix of that shape. Left out: nothing. */
  parameters?(shape: MatrixShape): readonly LearntParameter[];
  /** Codes and scales of a latent weight of rows * cols elements. */
  quantize(latent: Float32Array, shape: MatrixShape, learnt: Learnt): QuantizedMatrix;
  /**
   * The values that multiply, where they are not level x scale: of a stage of training, or shifted ones.
   * Only with the product `values`.
   */
  values?(latent: Float32Array, shape: MatrixShape, learnt: Learnt): Float32Array;
  /**
   * Gradients with respect to the latent weight and what is learnt, given that with respect to the dequantized weight
   * (`dy`). Left out where it is dy itself (straight-through) and nothing is learnt.
   */
  backward?(dy: Float32Array, latent: Float32Array, shape: MatrixShape, learnt: Learnt): QuantizerGradients;
}

/** What a quantizer's file exports. */
export interface WeightQuantizerDefinition<Options extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  /** Strict schema of the options beside `type`, each with a default. */
  readonly options: Options;
  /** Null stands for weights as they are. `options` are parsed. */
  create(options: z.output<Options>, scaleDtype: ScaleDtype): WeightQuantizer | null;
}

/** Neighbours of a row that share a scale; 0 where a row or the matrix does. */
export function groupSizeOf(quantizer: Pick<WeightQuantizer, "scales"> | null): number {
  return quantizer?.scales.per === "group" ? quantizer.scales.size : 0;
}

/** Scales of a matrix. */
export function scaleCount(scales: ScaleGranularity, { rows, cols }: MatrixShape): number {
  if (scales.per === "tensor") return 1;
  return scales.per === "row" ? rows : rows * (cols / scales.size);
}

/** What a quantizer (null: none) learns for a matrix of that shape. */
export function learntParameters(quantizer: WeightQuantizer | null, shape: MatrixShape): readonly LearntParameter[] {
  return quantizer?.parameters?.(shape) ?? [];
}

/** The dequantized weight: what a product of values multiplies, and what a file of floats stores. */
export function weightValues(
  quantizer: WeightQuantizer,
  latent: Float32Array,
  shape: MatrixShape,
  learnt: Learnt,
): Float32Array {
  return (
    quantizer.values?.(latent, shape, learnt) ?? dequantize(quantizer, quantizer.quantize(latent, shape, learnt), shape)
  );
}

/** Gradients of a quantizer with or without a `backward` of its own. */
export function quantizerGradients(
  quantizer: WeightQuantizer | null,
  dy: Float32Array,
  latent: Float32Array,
  shape: MatrixShape,
  learnt: Learnt,
): QuantizerGradients {
  return (
    quantizer?.backward?.(dy, latent, shape, learnt) ?? {
      latent: dy,
      learnt: learnt.map(({ length }) => new Float32Array(length)),
    }
  );
}

/** The levels of codes, all of them small integers: what a product of integers multiplies, and a packed type stores. */
export function integerLevels({ levels }: WeightQuantizer, codes: Int8Array): Int8Array {
  const middle = levels.length >> 1;
  return levels.every((level, i) => level === i - middle) ? codes : codes.map((code) => levels[code + middle]);
}

/** level * scale of every weight, float32. */
export function dequantize(
  { levels, scales: granularity }: Pick<WeightQuantizer, "levels" | "scales">,
  { codes, scales }: QuantizedMatrix,
  shape: MatrixShape,
): Float32Array {
  const middle = levels.length >> 1;
  const each = codes.length / scaleCount(granularity, shape);
  const values = new Float32Array(codes.length);
  for (let s = 0, i = 0; s < scales.length; s++) {
    const scale = scales[s];
    for (const end = i + each; i < end; i++) values[i] = levels[codes[i] + middle] * scale;
  }
  return values;
}
