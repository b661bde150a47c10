/** A GGUF file as a checkpoint: ours, or another program's of a graph that is known here. */
import { ModelConfigError, modelConfigSchema, resolveModelConfig } from "../../config/model_config.ts";
import { tokenizerOfEntries } from "../../gguf/file_tokenizer.ts";
import { GgufFile } from "../../gguf/gguf_reader.ts";
import { GgufError } from "../../gguf/gguf_types.ts";
import type { RowKeepingOrder } from "../../gguf/i2_s_orders.ts";
import { boundedTokenizer } from "../../tokenizer/bounded_tokenizer.ts";
import { modelConfigJson } from "../model_config_json.ts";
import { GgufTensors } from "./gguf_tensors.ts";
import { MetadataKeys } from "./metadata_keys.ts";
import { architectureOfFile, type GraphAndShape, graphAndShape, scalingOfFactors } from "./model_keys.ts";
import { type FileQuantization, quantizationOfFile } from "./model_quantization.ts";
import { readValues } from "./stored_rows.ts";
import { modelTensors } from "./tensor_names.ts";

/**
 * Opens a file, or all parts of a split one. Weights stay on disk; codes and scales are looked through once.
 * @param i2sOrder in which its codes of I2_S are
 * @throws {GgufError} if the file is damaged, or a model that is not computed here.
 */
export async function openGgufCheckpoint(file: string, i2sOrder: RowKeepingOrder = "x86") {
  const gguf = await GgufFile.open(file, i2sOrder);
  try {
    const keys = new MetadataKeys(gguf);
    const architecture = architectureOfFile(keys);
    const shape = graphAndShape(gguf, keys, architecture);
    if (gguf.tensors.some(({ name }) => name === "rope_freqs.weight")) {
      shape.rope_scaling = scalingOfFactors(file, await readValues(gguf, "rope_freqs.weight"), shape.rope_theta!);
    }
    const matrices = matricesOf(file, shape);
    const isBitnet = architecture.family?.modelType === "bitnet";
    const quantization = await quantizationOfFile(gguf, keys, matrices, isBitnet);
    const config = resolved(file, { ...shape, ...quantization.keys });
    const tensors = new GgufTensors(gguf, config, quantization.coded, architecture.interleaved);
    const hasTokenizer = gguf.metadata.has("tokenizer.ggml.tokens") || gguf.metadata.has("tokenizer.huggingface.json");
    const tokenizer = hasTokenizer ? boundedTokenizer(tokenizerOfEntries(file, gguf.metadata), config.vocabSize) : null;
    const configJson = modelConfigJson(config, tokenizer);
    if (quantization.scalesUnnamed) delete configJson.scale_dtype;
    return { directory: file, config, configJson, tokenizer, tensors };
  } catch (error) {
    await gguf.close();
    throw error;
  }
}

/** Names in the file of the linear weights. */
function matricesOf(file: string, shape: GraphAndShape): string[] {
  const config = resolved(file, { ...shape, weight_quantizer: "none", activation_quantizer: "none" });
  return modelTensors(config).flatMap(({ kind, ggufName }) => (kind === "matrix" ? [ggufName] : []));
}

function resolved(file: string, json: GraphAndShape & Partial<FileQuantization["keys"]>) {
  const parsed = modelConfigSchema.safeParse(json);
  if (!parsed.success) {
    const [{ path: key, message }] = parsed.error.issues;
    throw new GgufError(`${file}: ${key.join(".")}: ${message}`);
  }
  try {
    return resolveModelConfig(parsed.data);
  } catch (error) {
    if (error instanceof ModelConfigError) throw new GgufError(`${file}: ${error.message}`);
    throw error;
  }
}
