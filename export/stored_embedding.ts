/** Embedding and head as a file of floats holds them. */
import { embeddingQuantizerOf } from "../src/config/embedding_keys.ts";
import { roundRows } from "../src/quant/round_to_dtype.ts";
import { weightValues } from "../src/quantizers/weight_quantizer.ts";
import type { ExportRequest } from "./targets/target.ts";

/** Of the latent values, row-major with rows of `cols`. */
export function storedEmbedding(
  latent: Float32Array,
  cols: number,
  { config, embeddingDtype }: Pick<ExportRequest, "config" | "embeddingDtype">,
): Float32Array {
  const quantizer = embeddingQuantizerOf(config);
  if (quantizer === null) return roundRows(latent, cols, embeddingDtype);
  return weightValues(quantizer, latent, { rows: latent.length / cols, cols }, []);
}
