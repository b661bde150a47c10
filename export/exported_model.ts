/**
 * The model that an exported file is, in the terms of the training forward: what to compare the file's logits with.
 * It is the trained model unless the plan has changes.
 */
import type { ModelConfig } from "../src/config/model_config.ts";
import { modelParameters } from "../src/model/parameters.ts";
import { roundRows } from "../src/quant/round_to_dtype.ts";
import type { ExportPlan } from "./targets/target.ts";

export interface ExportedModel {
  config: ModelConfig;
  /** A parameter of the checkpoint as the file stands for it. Quantized matrices stay latent: their quantizer runs. */
  parameter(name: string, values: Float32Array): Float32Array;
}

export function exportedModel({ config, changes }: ExportPlan): ExportedModel {
  const specs = new Map(modelParameters(config).map((spec) => [spec.name, spec]));
  const roundings = {
    matrix: changes.flatMap(({ roundedTo }) => roundedTo ?? []),
    embedding: changes.flatMap(({ embeddingRoundedTo }) => embeddingRoundedTo ?? []),
  };
  return {
    config: Object.assign({ ...config }, ...changes.map((change) => change.config)),
    parameter(name, values) {
      const { kind, shape } = specs.get(name)!;
      if (kind !== "matrix" && kind !== "embedding") return values;
      return roundings[kind].reduce((each, dtype) => roundRows(each, shape[1]!, dtype), values);
    },
  };
}
