/** One tensor of a checkpoint on its way into a GGUF file: quantized whole, packed and handed on in pieces of rows. */

import { rowBytes, type TensorType } from "../src/gguf/gguf_types.ts";
import { packI2STail } from "../src/gguf/types/i2_s.ts";
import { type FloatTensorType, floatPacking, isTernaryType, ternaryPacking } from "../src/gguf/types/tensor_packing.ts";
import type { EmbeddingDtype, ScaleDtype } from "../src/quant/dtypes.ts";
import { roundScale } from "../src/quant/round_to_dtype.ts";
import { absmeanTernary } from "../src/quantizers/absmean_ternary.ts";
import { ExportRefusedError } from "./export_error.ts";
import type { ModelTensor } from "./tensor_names.ts";

/** How one tensor is stored. */
export interface TensorPlan extends ModelTensor {
  type: TensorType;
  /** The scale dtype of a ternary matrix; null for a tensor that is stored as the floats it holds. */
  ternary: ScaleDtype | null;
  /** Checkpoint row of each stored row; null: the same. */
  rowOrder: Int32Array | null;
}

/** The float32 values of a parameter of the checkpoint. */
export type ReadParameter = (name: string) => Promise<Float32Array>;

/** Bytes that are packed before they are handed on. */
const pieceBytes = 1 << 20;

export const embeddingTensorType: Record<EmbeddingDtype, FloatTensorType> = {
  f16: "F16",
  bf16: "BF16",
  f32: "F32",
  q8_0: "Q8_0",
};

/**
 * The packed bytes of a tensor. A piece is overwritten by the next one.
 * @throws {ExportRefusedError} if the checkpoint's tensor has another size or holds NaN or infinity, or if a scale
 * does not fit its type.
 */
export async function* packTensor(plan: TensorPlan, read: ReadParameter): AsyncGenerator<Uint8Array> {
  const { rows, cols } = matrixShape(plan.shape);
  const values = await read(plan.parameter);
  if (values.length !== rows * cols) {
    throw new ExportRefusedError(
      `${plan.parameter} has ${values.length} elements, the config says ${rows} x ${cols}: the checkpoint is of another config`,
    );
  }
  if (!isAllFinite(values)) {
    throw new ExportRefusedError(`${plan.parameter} holds values that are not finite: the checkpoint is damaged`);
  }
  const packer = plan.ternary === null ? floatRows(plan, values) : ternaryRows(plan, values, plan.ternary);
  const bytes = rowBytes(plan.type, cols);
  const rowsPerPiece = Math.max(1, Math.floor(pieceBytes / bytes));
  const piece = new Uint8Array(Math.min(rows, rowsPerPiece) * bytes);
  for (let first = 0; first < rows; first += rowsPerPiece) {
    const count = Math.min(rowsPerPiece, rows - first);
    for (let i = 0; i < count; i++) packer.row(plan.rowOrder?.[first + i] ?? first + i, piece, i * bytes);
    yield piece.subarray(0, count * bytes);
  }
  if (packer.tail !== null) yield packer.tail;
}

/** A plain loop: `every` takes several times as long, and embeddings are large. */
function isAllFinite(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) {
    if (!(Math.abs(values[i]) < Number.POSITIVE_INFINITY)) return false;
  }
  return true;
}

/** Rows and columns of a row-major shape; a vector is one row. */
export function matrixShape(shape: readonly number[]): { rows: number; cols: number } {
  return shape.length === 1 ? { rows: 1, cols: shape[0] } : { rows: shape[0], cols: shape[1] };
}

/** A packer of checkpoint rows, and the bytes after the last one. */
interface RowPacker {
  row(index: number, out: Uint8Array, offset: number): void;
  tail: Uint8Array | null;
}

function floatRows({ type, shape }: TensorPlan, values: Float32Array): RowPacker {
  const { cols } = matrixShape(shape);
  const packing = floatPacking[type as FloatTensorType];
  return {
    row: (index, out, offset) => packing.packRow(values.subarray(index * cols, (index + 1) * cols), out, offset),
    tail: null,
  };
}

/** Ternary codes with their scale; F16 and F32 store the products. */
function ternaryRows({ parameter, type, shape }: TensorPlan, values: Float32Array, scaleDtype: ScaleDtype): RowPacker {
  const { rows, cols } = matrixShape(shape);
  const { codes, weightScale } = absmeanTernary(values, rows, cols, scaleDtype);
  const stored = type === "I2_S" || type === "F32" ? weightScale : roundScale(weightScale, "f16");
  if (stored !== weightScale || !Number.isFinite(weightScale)) {
    throw new ExportRefusedError(`the scale of ${parameter} (${weightScale}) does not fit into ${type}`);
  }
  if (isTernaryType(type)) {
    const packing = ternaryPacking[type];
    return {
      row: (index, out, offset) =>
        packing.packRow(codes.subarray(index * cols, (index + 1) * cols), weightScale, out, offset),
      tail: type === "I2_S" ? packI2STail(weightScale) : null,
    };
  }
  const packing = floatPacking[type];
  const products = new Float32Array(cols);
  return {
    row(index, out, offset) {
      for (let k = 0; k < cols; k++) products[k] = codes[index * cols + k]! * weightScale;
      packing.packRow(products, out, offset);
    },
    tail: null,
  };
}
