/**
 * What the linear layers, the embedding and the head of a GGUF file are, in the words of a recipe: by our own keys, else by
 * the architecture and the types, as the engine decides it (native/cc/inference/model_config.cc).
 */
import type { ModelConfigJson } from "../../config/model_config.ts";
import type { GgufFile } from "../../gguf/gguf_reader.ts";
import { holdsCodes, isTernary } from "../../gguf/types/tensor_type.ts";
import type { EmbeddingDtype, ScaleDtype } from "../../quant/dtypes.ts";
import { roundRows } from "../../quant/round_to_dtype.ts";
import {
  activationQuantizerOfCodes,
  defaultActivationQuantizer,
  defaultWeightQuantizer,
  ternaryQuantizerOf,
} from "../../quantizers/registry.ts";
import type { ScaleGranularity } from "../../quantizers/weight_quantizer.ts";
import type { CodedParts } from "./gguf_tensors.ts";
import type { MetadataKeys } from "./metadata_keys.ts";
import { readValues, sizeOf } from "./stored_rows.ts";
import { commonGranularity, requireTrainable, scalesOf, statedGranularity } from "./stored_scales.ts";

export interface FileQuantization {
  keys: Pick<
    ModelConfigJson,
    "weight_quantizer" | "activation_quantizer" | "scale_dtype" | "embedding_dtype" | "embedding_quantizer"
  >;
  coded: CodedParts;
  /** The type of the scales is what the tensors have: no key names the one of the training. */
  scalesUnnamed: boolean;
}

const firstMatrix = "blk.0.attn_q.weight";
const embedding = "token_embd.weight";
const head = "output.weight";

/**
 * @param matrices names of the linear weights
 * @param isBitnet the architecture has no other layers
 * @throws {GgufError} if codes or scales are none that a quantizer here makes.
 */
export async function quantizationOfFile(
  file: GgufFile,
  keys: MetadataKeys,
  matrices: readonly string[],
  isBitnet: boolean,
): Promise<FileQuantization> {
  const { type } = file.info(firstMatrix);
  const byType = isBitnet || isTernary(type);
  const weights = keys.word("bitnet-lab.weight_quantizer") ?? (byType ? defaultWeightQuantizer : "none");
  const activations = keys.word("bitnet-lab.activation_quantizer") ?? (byType ? defaultActivationQuantizer : "none");
  const keep = keys.number("bitnet-lab.activation_keep") ?? 1;
  const ternary = weights !== "none";
  const granularity = ternary ? await granularityOf(file, keys, matrices) : null;
  const named = keys.word("bitnet-lab.scale_dtype") as ScaleDtype | undefined;
  const scaleDtype = named ?? scaleDtypeOf(file);
  const tables = await tablesOf(file, keys, scaleDtype);
  return {
    keys: {
      weight_quantizer: granularity === null ? "none" : ternaryQuantizerOf(granularity, "integers"),
      activation_quantizer: activationQuantizerOfCodes(activations, keep),
      scale_dtype: scaleDtype,
      ...tables.keys,
    },
    coded: { matrices: granularity, tables: tables.granularity },
    scalesUnnamed: named === undefined,
  };
}

/** Of all linear weights. */
async function granularityOf(
  file: GgufFile,
  keys: MetadataKeys,
  matrices: readonly string[],
): Promise<ScaleGranularity> {
  const stated = statedGranularity(keys.number("bitnet-lab.quantization.scale_group"));
  const group = stated?.per === "group" ? stated.size : null;
  const found: ScaleGranularity[] = [];
  for (const name of matrices) {
    const scales = await scalesOf(file, name, group);
    requireTrainable(file.path, name, scales);
    found.push(scales.granularity);
  }
  return stated ?? commonGranularity(found);
}

function scaleDtypeOf(file: GgufFile): ScaleDtype {
  const { type } = file.info(firstMatrix);
  if (holdsCodes(type)) return type.holds.scaleDtype;
  return type.kind === "floats" && (type.dtype === "f16" || type.dtype === "bf16") ? type.dtype : "f32";
}

/** Embedding and head: a type that holds the values of both, or codes. */
async function tablesOf(file: GgufFile, keys: MetadataKeys, scaleDtype: ScaleDtype) {
  const names = file.tensors.flatMap(({ name }) => (name === embedding || name === head ? [name] : []));
  const stated = keys.word("bitnet-lab.embedding_dtype") as EmbeddingDtype | undefined;
  const scales = names.every((name) => holdsCodes(file.info(name).type))
    ? await Promise.all(names.map((name) => scalesOf(file, name, null)))
    : null;
  if (scales?.every(({ ternary }) => ternary)) {
    for (const [i, name] of names.entries()) requireTrainable(file.path, name, scales[i]);
    const granularity = commonGranularity(scales.map((each) => each.granularity));
    const quantizer = ternaryQuantizerOf(granularity, "values");
    const holder: EmbeddingDtype = scaleDtype === "f16" ? "f16" : "f32";
    return { granularity, keys: { embedding_quantizer: quantizer, embedding_dtype: stated ?? holder } };
  }
  const dtypes = new Set<EmbeddingDtype>();
  for (const name of names) dtypes.add(await dtypeOf(file, name));
  const [only] = dtypes.size === 1 ? dtypes : (["f32"] as const);
  return { granularity: null, keys: { embedding_dtype: stated ?? only } };
}

/** What the values of a table can be rounded to without a change. */
async function dtypeOf(file: GgufFile, name: string): Promise<EmbeddingDtype> {
  const { type, shape } = file.info(name);
  if (holdsCodes(type)) return "f16";
  if (type.kind === "read only") return "f32";
  if (type.dtype !== "q8_0") return type.dtype;
  // Another quantizer's codes need not be those that ours makes of their values.
  const values = await readValues(file, name);
  const rounded = roundRows(values, sizeOf(shape).cols, "q8_0");
  return values.every((value, i) => value === rounded[i]) ? "q8_0" : "f32";
}
