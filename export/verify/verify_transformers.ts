/**
 * Reads an exported transformers directory back as a checkpoint and compares every tensor with the source, without
 * tolerance: codes and scales of packed matrices, float32 latent weights, the rounded embedding.
 */

import path from "node:path";
import type { ReadParameter } from "../../src/checkpoint/checkpoint.ts";
import { type ModelTensor, modelTensors } from "../../src/checkpoint/gguf/tensor_names.ts";
import { unpackTernary } from "../../src/checkpoint/packed_ternary.ts";
import { SafetensorsFile } from "../../src/checkpoint/safetensors_file.ts";
import { embeddingQuantizerOf } from "../../src/config/embedding_keys.ts";
import { weightQuantizerOf } from "../../src/config/model_quantizers.ts";
import type { Learnt } from "../../src/quantizers/weight_quantizer.ts";
import { readLearnt } from "../packed_tensor.ts";
import { storedEmbedding } from "../stored_embedding.ts";
import type { ExportPlan, VerifiedTensors } from "../targets/target.ts";
import { VerificationError } from "./verification.ts";

/** @throws {VerificationError} naming the first tensor and element that differ. */
export async function verifyTransformers(
  directory: string,
  plan: ExportPlan,
  read: ReadParameter,
): Promise<VerifiedTensors> {
  const file = await SafetensorsFile.open(path.join(directory, "model.safetensors"));
  try {
    const verified: VerifiedTensors = { ternaryMatrices: 0, ternaryCodes: 0, floatTensors: 0 };
    for (const spec of modelTensors(plan.config)) {
      const values = await read(spec.parameter);
      if (spec.kind === "matrix" && plan.linearType === "packed_uint8") {
        await verifyPacked(file, spec, values, await readLearnt(spec, read), plan);
        verified.ternaryMatrices++;
        verified.ternaryCodes += values.length;
      } else {
        await verifyFloats(file, spec, values, plan);
        verified.floatTensors++;
      }
    }
    return verified;
  } finally {
    await file.close();
  }
}

/** Elements of a piece, in which tables are compared: whole copies of those of large vocabularies take gigabytes. */
const pieceElements = 1 << 22;

async function verifyFloats(
  file: SafetensorsFile,
  { parameter: name, kind, shape }: ModelTensor,
  values: Float32Array,
  plan: ExportPlan,
) {
  const cols = shape[shape.length - 1];
  // The scale of a quantized table may be that of all of it.
  const isTable = kind === "embedding";
  const whole = isTable && embeddingQuantizerOf(plan.config) !== null ? storedEmbedding(values, cols, plan) : null;
  const piece = Math.max(1, Math.floor(pieceElements / cols)) * cols;
  if (file.info(name).dtype !== "F32" || file.bytesOf(name) !== 4 * values.length) {
    throw new VerificationError(`${name} is ${file.info(name).dtype} of ${file.bytesOf(name)} bytes in the file`);
  }
  for (let at = 0; at < values.length; at += piece) {
    const end = Math.min(values.length, at + piece);
    const stored = new Float32Array((await file.readBytes(name, 4 * at, 4 * end)).buffer);
    const part = (whole ?? values).subarray(at, end);
    requireEqual(name, stored, whole === null && isTable ? storedEmbedding(part, cols, plan) : part, at);
  }
}

async function verifyPacked(
  file: SafetensorsFile,
  { parameter: name, shape }: ModelTensor,
  values: Float32Array,
  learnt: Learnt,
  plan: ExportPlan,
) {
  const [rows, cols] = shape;
  const { codes, scales } = weightQuantizerOf(plan.config)!.quantize(values, { rows, cols }, learnt);
  requireEqual(name, unpackTernary(await file.readBytes(name), rows, cols), codes);
  requireEqual(`${name}_scale`, await file.readFloat32(`${name}_scale`), scales);
}

/** @param first number of the first element */
function requireEqual(name: string, stored: Float32Array | Int8Array, expected: Float32Array | Int8Array, first = 0) {
  const at = expected.findIndex((value, i) => stored[i] !== value);
  if (at >= 0 || stored.length !== expected.length) {
    throw new VerificationError(
      `${name}, element ${first + at}: ${stored[at]} in the file, ${expected[at]} by the checkpoint`,
    );
  }
}
