/**
 * Which models fit which tensor type without loss: rules on the configuration alone, so training can warn before a step
 * is spent and export can refuse before a byte is written.
 *
 * A linear weight [out, in] is packed along `in`, in whole blocks.
 */
import type { WritableTensorType } from "../gguf/types/tensor_type.ts";
import type { ModelConfig } from "./model_config.ts";
import { weightQuantizerOf } from "./model_quantizers.ts";
import { rowLengths } from "./row_lengths.ts";
import { exportTensorType, fits, misfit, nameOf, type Storage, writableTypes } from "./tensor_fit.ts";

/**
 * Null if every linear weight of the model can be stored as `type`, otherwise one line that names the key, the rule and
 * the types that work. Quantized weights are stored without loss; floats are rounded to the type, if it is another.
 */
export function checkPackable(config: ModelConfig, type: string): string | null {
  const quantizer = weightQuantizerOf(config);
  const reasonAgainst = (other: Storage) => fits(other, quantizer, rowLengths(config));
  const reason = reasonAgainst(exportTensorType(type));
  if (reason === null) return null;
  const others = writableTypes.filter((other) => reasonAgainst(other) === null).map(nameOf);
  return `${reason}: use --type ${others.join(" or ")}, or change the key and train again`;
}

/** The types that are meant for the levels of a model's codes: none, if its weights are multiplied as floats. */
function packedTypes(config: ModelConfig): WritableTensorType[] {
  const quantizer = weightQuantizerOf(config);
  if (quantizer === null || quantizer.product === "values") return [];
  return writableTypes.filter(
    (type) => type.kind === "codes" && quantizer.levels.every((level) => type.holds.levels.includes(level)),
  );
}

/**
 * Why no type of codes holds a model whose weights are multiplied as codes, in one line; null if one does. Of several
 * reasons that of the type whose rows may be of the most lengths.
 */
export function unpackableReason(config: ModelConfig): string | null {
  const types = packedTypes(config);
  if (types.length === 0 || types.some((type) => checkPackable(config, nameOf(type)) === null)) return null;
  const quantizer = weightQuantizerOf(config);
  const uneven = types.filter((type) => misfit(type, quantizer) === null);
  const [nearest] = uneven.length > 0 ? uneven.sort((a, b) => a.blockElements - b.blockElements) : types;
  return checkPackable(config, nameOf(nearest));
}

/** Lines about types of codes that cannot hold the model, where another one can. */
export function packingWarnings(config: ModelConfig): string[] {
  if (unpackableReason(config) !== null) return [];
  return packedTypes(config).flatMap((type) => checkPackable(config, nameOf(type)) ?? []);
}
