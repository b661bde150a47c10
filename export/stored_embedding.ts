/** Embedding and head as a file of floats holds them. */
import { embeddingQuantizerOf } from "../src/config/embedding_keys.ts";
import { roundRows } from "../src/quant/round_to_dtype.ts";
import { weightValues } from "../src/quantizers/weight_quantizer.ts";
import { exportedModel } from "./exported_model.ts";
import type { ExportPlan } from "./targets/target.ts";

/** Of the latent values, row-major with rows of `cols`: as the model that the file is has them. */
export function storedEmbedding(latent: Float32Array, cols: number, plan: ExportPlan): Float32Array {
  const { config } = exportedModel(plan);
  const quantizer = embeddingQuantizerOf(config);
  if (quantizer === null) return roundRows(latent, cols, plan.embeddingDtype);
  return weightValues(quantizer, latent, { rows: latent.length / cols, cols }, []);
}
