/** The quantizers of a model, and the three questions about them that many ask. */
import type { ActivationQuantizer } from "../quantizers/activation_quantizer.ts";
import { defaultActivationQuantizer, makeActivationQuantizer, makeWeightQuantizer } from "../quantizers/registry.ts";
import type { WeightQuantizer } from "../quantizers/weight_quantizer.ts";
import { ownGraphPart } from "./families/families.ts";
import type { ModelConfig } from "./model_config.ts";

type QuantizerKeys = Pick<ModelConfig, "weightQuantizer" | "activationQuantizer" | "scaleDtype">;

/** Null: the weights as they are. */
export function weightQuantizerOf(config: Omit<QuantizerKeys, "activationQuantizer">): WeightQuantizer | null {
  return makeWeightQuantizer(config.weightQuantizer, config.scaleDtype);
}

/** Null: the activations as they are. */
export function activationQuantizerOf(config: Pick<QuantizerKeys, "activationQuantizer">): ActivationQuantizer | null {
  return makeActivationQuantizer(config.activationQuantizer);
}

/** True if the linear weights multiply as ternary codes: what packs, and what a packed type is for. */
export function hasTernaryWeights(config: Omit<QuantizerKeys, "activationQuantizer">): boolean {
  const quantizer = weightQuantizerOf(config);
  return quantizer !== null && quantizer.product !== "values";
}

/** True if the linear products are BitNet's: ternary weights times quantized activations, in integers. */
export function isQuantized(config: QuantizerKeys): boolean {
  return hasTernaryWeights(config) && activationQuantizerOf(config) !== null;
}

/** True if no quantizer touches the model. */
export function isFloat(config: QuantizerKeys): boolean {
  return weightQuantizerOf(config) === null && activationQuantizerOf(config) === null;
}

/** The quantizer, as `key: name`, that other programs than ours have no layers for; null for those of BitNet, and none. */
export function ownQuantizerKey(config: QuantizerKeys): string | null {
  const weights = weightQuantizerOf(config);
  if (weights?.rowBias !== undefined) return `weight_quantizer: ${weights.name}`;
  const activations = activationQuantizerOf(config);
  const isCommon = activations === null || activations.name === defaultActivationQuantizer;
  return isCommon ? null : `activation_quantizer: ${activations.name}`;
}

/** The key, with its value, that makes a model another than those of other programs; null if it is of a family. */
export function ownKey(config: ModelConfig): string | null {
  return ownGraphPart(config) ?? ownQuantizerKey(config);
}
