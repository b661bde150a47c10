/**
 * Reads an exported GGUF file back and compares every tensor with the checkpoint: ternary codes and scales against
 * the reference quantizer, floats against their rounding, row by row and without tolerance.
 */
import type { ReadParameter } from "../../src/checkpoint/checkpoint.ts";
import { eachRow, sizeOf, tailScale } from "../../src/checkpoint/gguf/stored_rows.ts";
import { GgufFile } from "../../src/gguf/gguf_reader.ts";
import type { FloatTensorType } from "../../src/gguf/types/tensor_type.ts";
import { roundRows } from "../../src/quant/round_to_dtype.ts";
import type { Learnt } from "../../src/quantizers/weight_quantizer.ts";
import type { GgufPlan } from "../gguf_export.ts";
import { readLearnt, sourceRow, type TensorPlan, tensorValues } from "../packed_tensor.ts";
import { QuantizedRows } from "../quantized_rows.ts";
import type { VerifiedTensors } from "../targets/target.ts";
import { VerificationError } from "./verification.ts";

/** @throws {VerificationError} naming the first tensor, row and element that differ. */
export async function verifyGguf(path: string, plan: GgufPlan, read: ReadParameter): Promise<VerifiedTensors> {
  const file = await GgufFile.open(path);
  try {
    if (file.tensors.length !== plan.tensors.length) {
      throw new VerificationError(`${path} has ${file.tensors.length} tensors instead of ${plan.tensors.length}`);
    }
    const verified: VerifiedTensors = { ternaryMatrices: 0, ternaryCodes: 0, floatTensors: 0 };
    for (const tensor of plan.tensors) {
      await verifyTensor(file, tensor, await tensorValues(tensor, read), await readLearnt(tensor, read));
      if (tensor.quantizer === null) verified.floatTensors++;
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

async function verifyTensor(file: GgufFile, plan: TensorPlan, values: Float32Array, learnt: Learnt): Promise<void> {
  const info = file.info(plan.ggufName);
  if (info.type.id !== plan.type.id || info.shape.join() !== plan.shape.join()) {
    const stored = `${info.type.name} [${info.shape}]`;
    throw new VerificationError(`${plan.ggufName} is ${stored}, not ${plan.type.name} [${plan.shape}]`);
  }
  const compare = await comparisonOf(file, plan, values, learnt);
  await eachRow(file, plan.ggufName, (packed, offset, row) => compare(sourceRow(plan, row), packed, offset));
}

/** Compares the packed row at `offset` with a row of the checkpoint. */
type CompareRow = (row: number, packed: Uint8Array, offset: number) => void;

async function comparisonOf(
  file: GgufFile,
  plan: TensorPlan,
  values: Float32Array,
  learnt: Learnt,
): Promise<CompareRow> {
  const { type } = plan;
  const { rows, cols } = sizeOf(plan.shape);
  if (plan.quantizer === null)
    return floatComparison(plan, values, (row, { dtype }) => roundRows(row, row.length, dtype));
  const matrix = new QuantizedRows(plan.quantizer, values, { rows, cols }, learnt);
  if (type.kind === "floats") return floatComparison(plan, matrix.values(), (row) => row);
  const stored = new Int8Array(cols);
  const scales = new Float32Array(cols / type.blockElements);
  const expected = new Float32Array(scales.length);
  const shared = await tailScale(file, plan.ggufName, type);
  if (shared !== null) scales.fill(shared);
  return (row, packed, offset) => {
    type.unpackRow(packed, offset, stored, scales);
    requireEqual(plan, row, stored, matrix.levels(row));
    matrix.blockScales(row, expected);
    const wrong = scales.findIndex((scale, block) => scale !== expected[block]);
    if (wrong >= 0) {
      throw new VerificationError(
        `${plan.ggufName}, row ${row}: scale ${scales[wrong]}, the checkpoint's is ${expected[wrong]}`,
      );
    }
  };
}

/** @param rounded what the type makes of a row */
function floatComparison(
  plan: TensorPlan,
  values: Float32Array,
  rounded: (row: Float32Array, type: FloatTensorType) => Float32Array,
): CompareRow {
  const { cols } = sizeOf(plan.shape);
  const type = plan.type as FloatTensorType;
  const stored = new Float32Array(cols);
  return (row, packed, offset) => {
    type.unpackRow(packed, offset, stored);
    requireEqual(plan, row, stored, rounded(values.subarray(row * cols, (row + 1) * cols), type));
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
