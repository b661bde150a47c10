/** One tensor of a checkpoint on its way into a GGUF file: quantized whole, packed and handed on in pieces of rows. */
import type { ReadParameter } from "../src/checkpoint/checkpoint.ts";
import { sizeOf } from "../src/checkpoint/gguf/stored_rows.ts";
import type { ModelTensor } from "../src/checkpoint/gguf/tensor_names.ts";
import { rowBytes, type WritableTensorType } from "../src/gguf/types/tensor_type.ts";
import type { EmbeddingDtype } from "../src/quant/dtypes.ts";
import { roundScale } from "../src/quant/round_to_dtype.ts";
import type { Learnt, RowBias, WeightQuantizer } from "../src/quantizers/weight_quantizer.ts";
import { ExportRefusedError } from "./export_error.ts";
import { QuantizedRows } from "./quantized_rows.ts";

/** How one tensor is stored. */
export interface TensorPlan extends ModelTensor {
  type: WritableTensorType;
  /** Of a matrix that is stored quantized; null for a tensor that is stored as the floats it holds. */
  quantizer: WeightQuantizer | null;
  /** Checkpoint row of each stored row, or element of a vector; null: the same. */
  rowOrder: Int32Array | null;
  /** Where it is what the quantizer of a matrix [out, in] adds to its outputs. */
  bias?: { of: RowBias; shape: readonly number[] };
  /** Where the configuration makes it, and no parameter. */
  values?: Float32Array;
}

/** The float32 values that a tensor is made of: those of its parameter, or what is made of them. */
export async function tensorValues(plan: TensorPlan, read: ReadParameter): Promise<Float32Array> {
  if (plan.values !== undefined) return plan.values;
  const values = await read(plan.parameter);
  const shape = sizeOf(plan.bias?.shape ?? plan.shape);
  if (values.length !== shape.rows * shape.cols) {
    throw new ExportRefusedError(
      `${plan.parameter} has ${values.length} elements, the config says ${shape.rows} x ${shape.cols}: the checkpoint is of another config`,
    );
  }
  if (plan.bias) return plan.bias.of.value(values, shape, await readLearnt(plan, read));
  return isVector(plan) && plan.rowOrder !== null ? Float32Array.from(plan.rowOrder, (at) => values[at]) : values;
}

function isVector({ shape }: TensorPlan): boolean {
  return shape.length === 1;
}

/** The row of `tensorValues` that stands at a row of the file. */
export function sourceRow(plan: TensorPlan, row: number): number {
  return isVector(plan) ? row : (plan.rowOrder?.[row] ?? row);
}

/** Bytes that are packed before they are handed on. */
const pieceBytes = 1 << 20;

/**
 * The packed bytes of a tensor. A piece is overwritten by the next one.
 * @throws {ExportRefusedError} if the checkpoint's tensor has another size or holds NaN or infinity, or if a scale
 * does not fit its type.
 */
export async function* packTensor(plan: TensorPlan, read: ReadParameter): AsyncGenerator<Uint8Array> {
  const { rows, cols } = sizeOf(plan.shape);
  const values = await tensorValues(plan, read);
  requireFinite(plan.parameter, values);
  const { packRow, tail } = packerOf(plan, values, await readLearnt(plan, read));
  const bytes = rowBytes(plan.type, cols);
  const rowsPerPiece = Math.max(1, Math.floor(pieceBytes / bytes));
  const piece = new Uint8Array(Math.min(rows, rowsPerPiece) * bytes);
  for (let first = 0; first < rows; first += rowsPerPiece) {
    const count = Math.min(rowsPerPiece, rows - first);
    for (let i = 0; i < count; i++) packRow(sourceRow(plan, first + i), piece, i * bytes);
    yield piece.subarray(0, count * bytes);
  }
  if (tail !== null) yield tail;
}

/** What the quantizer has learnt for a tensor, in its order. */
export async function readLearnt({ learnt }: Pick<ModelTensor, "learnt">, read: ReadParameter): Promise<Learnt> {
  const values: Float32Array[] = [];
  for (const name of learnt) {
    values.push(await read(name));
    requireFinite(name, values.at(-1)!);
  }
  return values;
}

function requireFinite(name: string, values: Float32Array): void {
  if (isAllFinite(values)) return;
  throw new ExportRefusedError(`${name} holds values that are not finite: the checkpoint is damaged`);
}

/** A plain loop: `every` takes several times as long, and embeddings are large. */
function isAllFinite(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) {
    if (!(Math.abs(values[i]) < Number.POSITIVE_INFINITY)) return false;
  }
  return true;
}

/** A packer of checkpoint rows, and the bytes after the last one. */
interface Packer {
  packRow(row: number, out: Uint8Array, offset: number): void;
  tail: Uint8Array | null;
}

function packerOf(plan: TensorPlan, values: Float32Array, learnt: Learnt): Packer {
  const { parameter, type } = plan;
  const { rows, cols } = sizeOf(plan.shape);
  if (plan.quantizer === null) return { packRow: packFloats(type, values, cols), tail: null };
  const matrix = new QuantizedRows(plan.quantizer, values, { rows, cols }, learnt);
  const stored = type.kind === "codes" ? type.holds.scaleDtype : type.dtype;
  const unfit = matrix.scales.find((scale) => !isStorable(scale, stored));
  if (unfit !== undefined) {
    throw new ExportRefusedError(`the scale of ${parameter} (${unfit}) does not fit into ${type.name}`);
  }
  if (type.kind === "floats") return { packRow: packFloats(type, matrix.values(), cols), tail: null };
  const scales = new Float32Array(cols / type.blockElements);
  return {
    packRow(row, out, offset) {
      matrix.blockScales(row, scales);
      type.packRow(matrix.levels(row), scales, out, offset);
    },
    tail: type.tail?.pack(matrix.scales[0]) ?? null,
  };
}

function packFloats(type: WritableTensorType, values: Float32Array, cols: number): Packer["packRow"] {
  if (type.kind !== "floats") throw new RangeError(`${type.name} holds codes, and the tensor is not quantized`);
  return (row, out, offset) => type.packRow(values.subarray(row * cols, (row + 1) * cols), out, offset);
}

function isStorable(scale: number, dtype: EmbeddingDtype): boolean {
  return Number.isFinite(scale) && dtype !== "q8_0" && dtype !== "int8_row" && roundScale(scale, dtype) === scale;
}
