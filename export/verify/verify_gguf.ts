/**
 * Reads an exported GGUF file back and compares every tensor with the checkpoint: ternary codes and scales against
 * the reference quantizer, floats against their rounding, row by row and without tolerance.
 */

import { GgufFile } from "../../src/gguf/gguf_reader.ts";
import { rowBytes } from "../../src/gguf/gguf_types.ts";
import { unpackI2STail } from "../../src/gguf/types/i2_s.ts";
import {
  type FloatTensorType,
  floatPacking,
  isTernaryType,
  ternaryPacking,
} from "../../src/gguf/types/tensor_packing.ts";
import type { EmbeddingDtype } from "../../src/quant/dtypes.ts";
import { roundToDtype } from "../../src/quant/round_to_dtype.ts";
import { absmeanTernary } from "../../src/quantizers/absmean_ternary.ts";
import type { GgufPlan } from "../gguf_export.ts";
import { matrixShape, type ReadParameter, type TensorPlan } from "../packed_tensor.ts";
import { VerificationError, type VerifiedTensors } from "./verification.ts";

const dtypeOf: Record<FloatTensorType, EmbeddingDtype> = { F32: "f32", F16: "f16", BF16: "bf16", Q8_0: "q8_0" };

/** @throws {VerificationError} naming the first tensor, row and element that differ. */
export async function verifyGguf(path: string, plan: GgufPlan, read: ReadParameter): Promise<VerifiedTensors> {
  const file = await GgufFile.open(path);
  try {
    if (file.tensors.length !== plan.tensors.length) {
      throw new VerificationError(`${path} has ${file.tensors.length} tensors instead of ${plan.tensors.length}`);
    }
    const verified: VerifiedTensors = { ternaryMatrices: 0, ternaryCodes: 0, floatTensors: 0 };
    for (const tensor of plan.tensors) {
      await verifyTensor(file, tensor, await read(tensor.parameter));
      if (tensor.ternary === null) verified.floatTensors++;
      else {
        verified.ternaryMatrices++;
        verified.ternaryCodes += tensor.shape[0] * tensor.shape[1];
      }
    }
    return verified;
  } finally {
    await file.close();
  }
}

async function verifyTensor(file: GgufFile, plan: TensorPlan, values: Float32Array): Promise<void> {
  const info = file.info(plan.ggufName);
  if (info.type !== plan.type || info.shape.join() !== plan.shape.join()) {
    throw new VerificationError(`${plan.ggufName} is ${info.type} [${info.shape}], not ${plan.type} [${plan.shape}]`);
  }
  const { rows, cols } = matrixShape(plan.shape);
  const bytes = rowBytes(plan.type, cols);
  const compare = plan.ternary === null ? floatComparison(plan, values) : await ternaryComparison(file, plan, values);
  const rowsPerRead = Math.max(1, Math.floor((1 << 20) / bytes));
  for (let first = 0; first < rows; first += rowsPerRead) {
    const count = Math.min(rowsPerRead, rows - first);
    const packed = await file.read(plan.ggufName, first * bytes, (first + count) * bytes);
    for (let i = 0; i < count; i++) compare(plan.rowOrder?.[first + i] ?? first + i, packed, i * bytes);
  }
}

/** Compares the packed row at `offset` with a row of the checkpoint. */
type CompareRow = (row: number, packed: Uint8Array, offset: number) => void;

function floatComparison(plan: TensorPlan, values: Float32Array): CompareRow {
  const { cols } = matrixShape(plan.shape);
  const type = plan.type as FloatTensorType;
  const stored = new Float32Array(cols);
  return (row, packed, offset) => {
    floatPacking[type].unpackRow(packed, offset, stored);
    const expected = roundToDtype(values.subarray(row * cols, (row + 1) * cols), dtypeOf[type]);
    requireEqual(plan, row, stored, expected);
  };
}

async function ternaryComparison(file: GgufFile, plan: TensorPlan, values: Float32Array): Promise<CompareRow> {
  const { rows, cols } = matrixShape(plan.shape);
  const { codes, weightScale } = absmeanTernary(values, rows, cols, plan.ternary!);
  const expected = (row: number) => codes.subarray(row * cols, (row + 1) * cols);
  const { type } = plan;
  if (!isTernaryType(type)) {
    const stored = new Float32Array(cols);
    return (row, packed, offset) => {
      floatPacking[type].unpackRow(packed, offset, stored);
      requireEqual(
        plan,
        row,
        stored,
        Float32Array.from(expected(row), (code) => code * weightScale),
      );
    };
  }
  const { blockElements, unpackRow } = ternaryPacking[type];
  const stored = new Int8Array(cols);
  const scales = new Float32Array(cols / blockElements);
  if (type === "I2_S") {
    const { bytes } = file.info(plan.ggufName);
    scales.fill(unpackI2STail(await file.read(plan.ggufName, rows * rowBytes(type, cols), bytes)));
  }
  return (row, packed, offset) => {
    unpackRow(packed, offset, stored, scales);
    requireEqual(plan, row, stored, expected(row));
    const wrong = scales.find((scale) => scale !== weightScale);
    if (wrong !== undefined) {
      throw new VerificationError(`${plan.ggufName}, row ${row}: scale ${wrong}, the checkpoint's is ${weightScale}`);
    }
  };
}

/** Equal as numbers: zeros of either sign are the same weight. */
function requireEqual(
  plan: TensorPlan,
  row: number,
  stored: Float32Array | Int8Array,
  expected: Float32Array | Int8Array,
) {
  for (let i = 0; i < stored.length; i++) {
    if (stored[i] !== expected[i] && !(Number.isNaN(stored[i]) && Number.isNaN(expected[i]))) {
      throw new VerificationError(
        `${plan.ggufName}, row ${row}, element ${i}: ${stored[i]} in the file, ${expected[i]} by the checkpoint`,
      );
    }
  }
}
