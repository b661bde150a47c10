/**
 * Which matrices fit which tensor type without loss: a type of codes holds those whose levels, scales and product it can
 * express, a type of floats those whose level x scale is a value of it.
 */
import type { CodeTensorType, FloatTensorType, WritableTensorType } from "../gguf/types/tensor_type.ts";
import { tensorTypes, type WritableTypeName } from "../gguf/types/tensor_types.ts";
import type { ScaleDtype } from "../quant/dtypes.ts";
import type { WeightQuantizer } from "../quantizers/weight_quantizer.ts";
import type { RowLength } from "./row_lengths.ts";

/** Types of the linear weights in an exported file, as the command line calls them. */
export type ExportType = Lowercase<WritableTypeName>;

/** The types that are written, in the order in which they are offered. */
export const writableTypes: readonly WritableTensorType[] = tensorTypes.filter(
  (type) => type.kind === "codes" || type.kind === "floats",
);
export const exportTypes = writableTypes.map(({ name }) => name.toLowerCase()) as ExportType[];

/** @throws {RangeError} if no type of that name is written. */
export function exportTensorType(name: string): WritableTensorType {
  const type = writableTypes.find((candidate) => nameOf(candidate) === name);
  if (type === undefined) throw new RangeError(`no tensor type ${name} is written`);
  return type;
}

/** What the rules ask of a type: that of a GGUF file, or another way to store a matrix. */
export type Storage =
  | Pick<CodeTensorType, "kind" | "name" | "blockElements" | "holds">
  | Pick<FloatTensorType, "kind" | "name" | "blockElements" | "dtype">;

/**
 * Null if matrices of that quantizer (null: of floats, which a type of floats rounds to its own) with rows of these
 * lengths can be stored as `type`, otherwise the reason.
 */
export function fits(type: Storage, quantizer: WeightQuantizer | null, rows: readonly RowLength[]): string | null {
  return misfit(type, quantizer) ?? unevenRows(type, rows);
}

/** {@link fits} without a look at the lengths of rows. */
export function misfit(type: Storage, quantizer: WeightQuantizer | null): string | null {
  if (type.kind === "codes" && quantizer?.product === "values") {
    return `${nameOf(type)} is multiplied by its codes, and ${quantizer.name} weights are by their float32 values`;
  }
  return valueMisfit(type, quantizer);
}

/**
 * {@link misfit} of a matrix that is looked up and multiplied as floats, whatever it is stored as: an embedding or a head.
 * `key` names its quantizer.
 */
export function valueMisfit(
  type: Storage,
  quantizer: WeightQuantizer | null,
  key: "weight_quantizer" | "embedding_quantizer" = "weight_quantizer",
): string | null {
  if (type.kind === "floats") return quantizer === null ? null : floatMisfit(type, quantizer);
  const name = nameOf(type);
  const { levels, scales, scaleDtype } = type.holds;
  if (quantizer === null) {
    const kind = levels.join() === "-1,0,1" ? "ternary" : "quantized";
    return `${name} holds ${kind} weights, and this model has ${key}: none`;
  }
  if (quantizer.values !== undefined) {
    return `${name} rounds the values of ${quantizer.name}, which are no levels times scales`;
  }
  if (!quantizer.levels.every((level) => levels.includes(level))) {
    return `${name} has the levels ${listed(levels)}, and ${quantizer.name} ${listed(quantizer.levels)}`;
  }
  if (scales === "tensor" && quantizer.scales.per !== "tensor") {
    return `${name} stores one scale per matrix, and ${quantizer.name} has one per ${quantizer.scales.per}`;
  }
  if (quantizer.scales.per === "group" && quantizer.scales.size % type.blockElements !== 0) {
    return `${name} stores one scale per ${type.blockElements} weights, and ${quantizer.name} has one per ${quantizer.scales.size}`;
  }
  return holdsScale(scaleDtype, quantizer.scaleDtype) ? null : unfitScale(type, scaleDtype, quantizer);
}

/** A float type holds the products level x scale, if it holds the scales and the levels leave their digits alone. */
function floatMisfit(type: Storage & { kind: "floats" }, quantizer: WeightQuantizer): string | null {
  const { dtype } = type;
  if (quantizer.values !== undefined && dtype !== "f32") {
    return `${nameOf(type)} rounds the values of ${quantizer.name}, which are no levels times scales`;
  }
  if (dtype === "q8_0" || dtype === "int8_row") {
    return `${nameOf(type)} rounds blocks of ${type.blockElements} weights by scales of their own, and this model is quantized`;
  }
  if (!holdsScale(dtype, quantizer.scaleDtype)) return unfitScale(type, dtype, quantizer);
  const exact =
    dtype === "f32" || quantizer.levels.every((level) => level === 0 || Number.isInteger(Math.log2(Math.abs(level))));
  return exact
    ? null
    : `${nameOf(type)} rounds the products of the levels ${listed(quantizer.levels)} and their scales`;
}

function unfitScale(type: Storage, stored: ScaleDtype, { scaleDtype }: WeightQuantizer): string {
  return `${nameOf(type)} stores ${words[stored]} scales, and this model was trained with scale_dtype: ${scaleDtype}`;
}

const words: Record<ScaleDtype, string> = { f16: "float16", bf16: "bfloat16", f32: "float32" };

/**
 * True if every scale of `trained` is a value of `stored`. A bfloat16 scale is a float16: scales are at least 1e-5, and
 * every bfloat16 from there to 65504 is one. (A larger one is found when it is packed.)
 */
function holdsScale(stored: ScaleDtype, trained: ScaleDtype): boolean {
  return stored === "f32" || stored === trained || (stored === "f16" && trained === "bf16");
}

/** All levels of a few, the ends of many. */
function listed(levels: readonly number[]): string {
  return levels.length <= 9 ? levels.join(", ") : `${levels[0]} to ${levels.at(-1)}`;
}

/** Why rows of these lengths are no whole blocks, or null. */
export function unevenRows(type: Storage, rows: readonly RowLength[]): string | null {
  const multiple = type.blockElements;
  const uneven = rows.filter(({ size }) => size % multiple !== 0);
  if (uneven.length === 0) return null;
  const sizes = uneven.map(({ key, size }) => `${key} (${size})`).join(" and ");
  const rule = uneven.length > 1 ? `are no multiples of ${multiple}` : `is no multiple of ${multiple}`;
  return `${nameOf(type)} packs rows in blocks of ${multiple} weights, and ${sizes} ${rule}`;
}

/** A type as the command line calls it. */
export function nameOf(type: Pick<Storage, "name">): ExportType {
  return type.name.toLowerCase() as ExportType;
}
