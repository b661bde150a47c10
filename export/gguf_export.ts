/** From an export plan to a GGUF file. */
import type { ReadParameter } from "../src/checkpoint/checkpoint.ts";
import { interleavedRowOrder, isRotated, type ModelTensor, modelTensors } from "../src/checkpoint/gguf/tensor_names.ts";
import { embeddingQuantizerOf } from "../src/config/embedding_keys.ts";
import type { ModelConfig } from "../src/config/model_config.ts";
import { weightQuantizerOf } from "../src/config/model_quantizers.ts";
import { rotaryOf } from "../src/config/rope_scaling.ts";
import { exportTensorType } from "../src/config/tensor_fit.ts";
import type { GgufMetadata } from "../src/gguf/gguf_types.ts";
import { type GgufTensorSource, ggufFileBytes, writeGguf } from "../src/gguf/gguf_writer.ts";
import { tokenizerMetadata } from "../src/gguf/tokenizer_metadata.ts";
import { f32 } from "../src/gguf/types/f32.ts";
import type { RowBias } from "../src/quantizers/weight_quantizer.ts";
import { aboutMetadata } from "./about.ts";
import { architectureOf, modelMetadata } from "./model_metadata.ts";
import { packTensor, type TensorPlan } from "./packed_tensor.ts";
import type { ExportPlan } from "./targets/target.ts";

export interface GgufPlan {
  metadata: GgufMetadata;
  /** In file order. */
  tensors: readonly TensorPlan[];
}

/**
 * Metadata and tensors of a file of that `general.architecture`.
 * @throws {GgufError} if the tokenizer cannot be written.
 */
export function planGguf(plan: ExportPlan, architecture = architectureOf(plan.config)): GgufPlan {
  const { config, tokenizer, name } = plan;
  const linearType = exportTensorType(plan.linearType);
  const interleaved = architecture === "llama";
  const quantizer = weightQuantizerOf(config);
  const tensors = modelTensors(config).flatMap((tensor): TensorPlan[] => {
    if (tensor.kind === "embedding") {
      return [{ ...tensor, type: plan.tableType, quantizer: embeddingQuantizerOf(config), rowOrder: null }];
    }
    const rowOrder = interleaved && isRotated(tensor) ? interleavedRowOrder(tensor.shape[0], config.headDim) : null;
    if (tensor.kind !== "matrix") return [{ ...tensor, type: f32, quantizer: null, rowOrder }];
    const matrix = { ...tensor, type: linearType, quantizer, rowOrder };
    return quantizer?.rowBias ? [matrix, biasPlan(tensor, quantizer.rowBias)] : [matrix];
  });
  const metadata = new Map([
    ...modelMetadata(config, architecture, name, linearType, plan.embeddingDtype),
    ...aboutMetadata(plan.about, plan.trainingFacts),
    ...(tokenizer === null ? [] : tokenizerMetadata(tokenizer, config.vocabSize)),
  ]);
  return { metadata, tensors: [...tensors, ...ropeFactors(config)] };
}

/** llama3's factors of the frequencies, which llama.cpp has no keys for. */
function ropeFactors({ ropeTheta, ropeScaling, headDim }: ModelConfig): TensorPlan[] {
  if (ropeScaling?.type !== "llama3") return [];
  const values = Float32Array.from(rotaryOf(ropeTheta, ropeScaling, headDim).factors);
  const name = { parameter: "rope_scaling", ggufName: "rope_freqs.weight", kind: "norm" as const };
  return [{ ...name, shape: [values.length], learnt: [], type: f32, quantizer: null, rowOrder: null, values }];
}

/** `blk.0.ffn_up.bias`, beside the weight: what a quantizer adds to the outputs. */
function biasPlan(matrix: ModelTensor, bias: RowBias): TensorPlan {
  return {
    ...matrix,
    ggufName: matrix.ggufName.replace(/weight$/, "bias"),
    shape: [matrix.shape[0]],
    type: f32,
    quantizer: null,
    rowOrder: null,
    bias: { of: bias, shape: matrix.shape },
  };
}

/** Bytes of the file that {@link writeGgufExport} writes. */
export function ggufExportBytes(plan: GgufPlan): number {
  return ggufFileBytes(plan.metadata, sources(plan, unread));
}

/**
 * Writes the file, one tensor at a time: memory holds one tensor as float32, its codes, and a megabyte of packed rows.
 * `onBytes` gets the size of each piece written. Errors are those of {@link writeGguf} and `packTensor`.
 */
export async function writeGgufExport(
  path: string,
  plan: GgufPlan,
  read: ReadParameter,
  onBytes?: (bytes: number) => void,
): Promise<void> {
  await writeGguf(path, plan.metadata, sources(plan, read), onBytes);
}

function sources(plan: GgufPlan, read: ReadParameter): GgufTensorSource[] {
  return plan.tensors.map((tensor) => ({
    name: tensor.ggufName,
    type: tensor.type,
    shape: tensor.shape,
    bytes: () => packTensor(tensor, read),
  }));
}

/** Sizes are known without reading. */
const unread: ReadParameter = async () => new Float32Array();
