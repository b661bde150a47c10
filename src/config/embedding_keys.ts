/**
 * The keys that say what the embedding and the head are: a type that their values are rounded to, or a quantizer that makes
 * the values, which the type then holds.
 */
import { z } from "zod";
import { floatTypeOf } from "../gguf/types/tensor_types.ts";
import { type EmbeddingDtype, embeddingDtypes, type ScaleDtype } from "../quant/dtypes.ts";
import { makeWeightQuantizer, type QuantizerDescription, weightQuantizerSchema } from "../quantizers/registry.ts";
import { learntParameters, type WeightQuantizer } from "../quantizers/weight_quantizer.ts";
import { fits } from "./tensor_fit.ts";

/** An int8 head sums 255 x 127 for each element of a row in 32 bits (native/cc/core/int8_rows.h). */
const largestInt8Row = 65536;

export const embeddingKeys = {
  embedding_dtype: z
    .enum(embeddingDtypes)
    .default("f16")
    .describe(
      "Type that embedding and head are rounded to, in the training forward too. `int8_row`: a scale per row, and the head multiplies int8 codes of the hidden states.",
    ),
  embedding_quantizer: weightQuantizerSchema
    .default("none")
    .describe(
      "Of embedding and head, tied or not: a weight quantizer, as a name or a section of `type` and its options. Their dequantized values are looked up and multiplied, and `embedding_dtype` must hold them. `none`: the latent values, rounded.",
    ),
};

interface EmbeddingKeys {
  hidden_size: number;
  scale_dtype: ScaleDtype;
  embedding_dtype: EmbeddingDtype;
  embedding_quantizer: QuantizerDescription;
}

/** What makes the values of embedding and head; null: they are the latent ones, rounded to `embedding_dtype`. */
export function embeddingQuantizerOf(config: {
  embeddingQuantizer: QuantizerDescription;
  scaleDtype: ScaleDtype;
}): WeightQuantizer | null {
  return makeWeightQuantizer(config.embeddingQuantizer, config.scaleDtype);
}

/** True if a reader of the latent values, rounded or not, computes another model. */
export function hasOwnEmbedding(config: {
  embeddingDtype: EmbeddingDtype;
  embeddingQuantizer: QuantizerDescription;
  scaleDtype: ScaleDtype;
}): boolean {
  return config.embeddingDtype === "int8_row" || embeddingQuantizerOf(config) !== null;
}

/** The rule that is broken, or null. */
export function embeddingProblem(json: EmbeddingKeys): string | null {
  const { hidden_size: width, embedding_dtype: dtype } = json;
  const type = floatTypeOf(dtype);
  if (width % type.blockElements !== 0) {
    return `embedding_dtype ${dtype} needs a hidden_size that is a multiple of ${type.blockElements}`;
  }
  if (dtype === "int8_row" && width > largestInt8Row) {
    return `embedding_dtype int8_row takes a hidden_size of at most ${largestInt8Row}: its head sums in 32 bits`;
  }
  const quantizer = makeWeightQuantizer(json.embedding_quantizer, json.scale_dtype);
  if (quantizer === null) return null;
  const { name, scales, blockWeights = 1 } = quantizer;
  const learns = learntParameters(quantizer, { rows: 1, cols: width }).length > 0;
  if (learns || quantizer.rowBias !== undefined) {
    return `embedding_quantizer ${name} ${learns ? "learns parameters" : "adds a bias to each output"}, which an embedding has no place for: use another`;
  }
  const group = scales.per === "group" ? scales.size : 1;
  if (width % group !== 0 || width % blockWeights !== 0) {
    const multiple = Math.max(group, blockWeights);
    return `embedding_quantizer ${name} needs a hidden_size that is a multiple of ${multiple}, not ${width}`;
  }
  if (fits(type, quantizer, []) === null) return null;
  const holders = embeddingDtypes.filter((other) => fits(floatTypeOf(other), quantizer, []) === null);
  return `embedding_quantizer ${name} makes values that embedding_dtype ${dtype} does not hold: set embedding_dtype: ${holders.join(" or ")}`;
}
