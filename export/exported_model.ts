/**
 * The model that an exported file is, in the terms of the training forward: what to compare the file's logits with.
 * It is the trained model unless the plan has differences.
 */
import type { ModelConfig } from "../src/config/model_config.ts";
import { weightQuantizerOf } from "../src/config/model_quantizers.ts";
import { type ExportType, exportTensorType } from "../src/config/packing_rules.ts";
import { roundToDtype } from "../src/quant/round_to_dtype.ts";
import type { ExportPlan } from "./export_plan.ts";
import { modelTensors } from "./tensor_names.ts";

export interface ExportedModel {
  config: ModelConfig;
  /** A parameter of the checkpoint as the file stands for it. Ternary matrices stay latent: their quantizer runs. */
  parameter(name: string, values: Float32Array): Float32Array;
}

export function exportedModel(plan: ExportPlan): ExportedModel {
  const { config, linearType } = plan;
  const linears = new Set(
    modelTensors(config)
      .filter((tensor) => tensor.kind === "matrix")
      .map((tensor) => tensor.parameter),
  );
  // Floats are rounded to the type; codes, and floats that are their products, are what was trained.
  const type = weightQuantizerOf(config) === null ? exportTensorType(linearType as ExportType) : null;
  const latent = plan.target === "transformers" && linearType === "f32";
  return {
    config: { ...config, embeddingDtype: plan.embeddingDtype, scaleDtype: latent ? "f32" : config.scaleDtype },
    parameter: (name, values) =>
      type?.kind === "floats" && linears.has(name) ? roundToDtype(values, type.dtype) : values,
  };
}
