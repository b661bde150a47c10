/** What to know of how the linear products of a model run, before a step is spent on it. */
import type { ModelConfig } from "./model_config.ts";
import { activationQuantizerOf, weightQuantizerOf } from "./model_quantizers.ts";

/** Lines about quantized models whose products are not those of BitNet: none for most. */
export function productNotes(model: ModelConfig): string[] {
  const weights = weightQuantizerOf(model);
  const activations = activationQuantizerOf(model);
  if (weights === null) return [];
  if (weights.product === "values") {
    return [
      `${weights.name} multiplies its dequantized weights as float32 values, in training and in the engine: ` +
        "the speed and the file of a float model",
    ];
  }
  if (activations !== null) return [];
  return [
    `${weights.name} with activation_quantizer: none multiplies codes x scale as float32 values, in training and in the ` +
      "engine, and packs for --target bitnet-lab only",
  ];
}
