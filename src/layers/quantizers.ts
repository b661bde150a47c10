/**
 * Quantizers of the layers: objects given by name (`"absmean_ternary"`), by instance, or by a serialized
 * configuration, as larq users expect. A quantizer maps a latent tensor to its dequantized values, with a
 * straight-through gradient. Those of the list in `src/quantizers` multiply as the language model's do; any other subclass
 * works too, as the values that it returns. Recipes, `CausalLM` and export take those of the list only.
 */
import * as tf from "@tensorflow/tfjs";
import { UserError } from "../errors/user_error.ts";
import { quantizedActivations, quantizedWeights } from "../ops/fake_quantize.ts";
import { type ScaleDtype, scaleDtypes } from "../quant/dtypes.ts";
import type { ActivationQuantizer } from "../quantizers/activation_quantizer.ts";
import { none } from "../quantizers/none.ts";
import {
  activationQuantizers,
  defaultActivationQuantizer,
  defaultWeightQuantizer,
  makeActivationQuantizer,
  makeWeightQuantizer,
  type QuantizerDescription,
  weightQuantizers,
} from "../quantizers/registry.ts";
import { learntParameters, type MatrixShape, type WeightQuantizer } from "../quantizers/weight_quantizer.ts";
import { readDescription, savedDescription } from "./saved_description.ts";

/** Package name of everything registered with `tf.serialization`. */
export const serializationPackage = "bitnet-lab";

/** Unknown quantizer name, class or option. */
export class QuantizerError extends UserError {
  override name = "QuantizerError";
}

/** Base class. Subclasses have a static `className` and are registered with `tf.serialization.registerClass`. */
export abstract class Quantizer extends tf.serialization.Serializable {
  /** Dequantized values, same shape. Must carry its own gradient (`tf.customGrad`) where rounding has none. */
  abstract apply(x: tf.Tensor): tf.Tensor;

  override getConfig(): tf.serialization.ConfigDict {
    return {};
  }
}

/** A weight quantizer of the list (`src/quantizers`), by its description; the linear product asks its value. */
export class ListedWeightQuantizer extends Quantizer {
  static className = "ListedWeightQuantizer";
  readonly value: WeightQuantizer;
  private readonly description: QuantizerDescription;

  /** `scaleDtype` is what the multiplying scales are rounded to; default f16. */
  constructor(config: { quantizer: QuantizerDescription; scaleDtype?: ScaleDtype }) {
    super();
    const { scaleDtype = "f16" } = config;
    const quantizer = readDescription(config.quantizer);
    if (!scaleDtypes.includes(scaleDtype)) {
      throw new QuantizerError(`scaleDtype "${scaleDtype}" is not one of ${scaleDtypes.join(", ")}`);
    }
    const value = makeWeightQuantizer(quantizer, scaleDtype);
    if (value === null) throw new QuantizerError(`"${quantizer}" leaves the weights as they are: give null instead`);
    this.description = quantizer;
    this.value = value;
  }

  /** @throws {QuantizerError} if the quantizer learns parameters, which only a layer of the model has. */
  override apply(x: tf.Tensor): tf.Tensor {
    const [rows, cols] = (x as tf.Tensor2D).shape;
    requireNothingLearnt(this.value, { rows, cols });
    return quantizedWeights(x as tf.Tensor2D, this.value);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { quantizer: savedDescription(this.description), scaleDtype: this.value.scaleDtype };
  }
}

/** The value of a quantizer of the list; null for any other. */
export function listedValue(quantizer: Quantizer | null): WeightQuantizer | null {
  return quantizer instanceof ListedWeightQuantizer ? quantizer.value : null;
}

/** @throws {QuantizerError} if there are parameters to learn for a matrix of that shape. */
export function requireNothingLearnt(quantizer: WeightQuantizer | null, shape: MatrixShape): void {
  if (learntParameters(quantizer, shape).length === 0) return;
  throw new QuantizerError(
    `${quantizer?.name} learns parameters beside the weights: attention and feed-forward layers have them, this one does not`,
  );
}

/** Weights [N, K] to -1, 0, +1 times one scale: max(mean |W|, 1e-5), rounded to `scaleDtype` (default f16). */
export class AbsmeanTernary extends ListedWeightQuantizer {
  static override className = "AbsmeanTernary";

  constructor(config: { scaleDtype?: ScaleDtype } = {}) {
    super({ quantizer: defaultWeightQuantizer, scaleDtype: config.scaleDtype });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { scaleDtype: this.value.scaleDtype };
  }
}

/** An activation quantizer of the list, by its description. */
export class ListedActivationQuantizer extends Quantizer {
  static className = "ListedActivationQuantizer";
  readonly value: ActivationQuantizer;
  private readonly description: QuantizerDescription;

  constructor(config: { quantizer: QuantizerDescription }) {
    super();
    const quantizer = readDescription(config.quantizer);
    const value = makeActivationQuantizer(quantizer);
    if (value === null) throw new QuantizerError(`"${quantizer}" leaves activations as they are: give null instead`);
    this.description = quantizer;
    this.value = value;
  }

  override apply(x: tf.Tensor): tf.Tensor {
    return quantizedActivations(x, this.value);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { quantizer: savedDescription(this.description) };
  }
}

/** Activations [..., K] to int8 times one scale per row: max(max |x|, 1e-5) / 127. */
export class AbsmaxInt8 extends ListedActivationQuantizer {
  static override className = "AbsmaxInt8";

  constructor() {
    super({ quantizer: defaultActivationQuantizer });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {};
  }
}

tf.serialization.registerClass(ListedWeightQuantizer, serializationPackage);
tf.serialization.registerClass(AbsmeanTernary, serializationPackage);
tf.serialization.registerClass(ListedActivationQuantizer, serializationPackage);
tf.serialization.registerClass(AbsmaxInt8, serializationPackage);

/** A registered class with its configuration, as `getConfig` writes it. */
export interface SerializedQuantizer {
  className: string;
  config: tf.serialization.ConfigDict;
}

/** A name of the lists in `src/quantizers/registry.ts`, an instance, a serialized one, or null for none. */
export type QuantizerIdentifier = string | Quantizer | SerializedQuantizer | null;

/** The quantizer that an identifier stands for; null for "none". */
export function resolveQuantizer(identifier: QuantizerIdentifier): Quantizer | null {
  if (identifier === null) return null;
  if (identifier instanceof Quantizer) return identifier;
  if (typeof identifier === "string") return listedQuantizer(identifier);
  const entry = tf.serialization.SerializationMap.getMap().classNameMap[identifier.className];
  const quantizer = entry ? entry[1](entry[0], identifier.config) : null;
  if (!(quantizer instanceof Quantizer)) {
    throw new QuantizerError(`"${identifier.className}" is not a registered Quantizer class`);
  }
  return quantizer;
}

function listedQuantizer(name: string): Quantizer | null {
  if (name === none.name) return null;
  if (name === defaultWeightQuantizer) return new AbsmeanTernary();
  if (name === defaultActivationQuantizer) return new AbsmaxInt8();
  if (weightQuantizers.some((each) => each.name === name)) return new ListedWeightQuantizer({ quantizer: name });
  if (activationQuantizers.some((each) => each.name === name))
    return new ListedActivationQuantizer({ quantizer: name });
  const names = [...weightQuantizers, ...activationQuantizers].map((each) => each.name);
  throw new QuantizerError(`unknown quantizer "${name}": use ${[...new Set(names)].join(", ")}`);
}

/** Inverse of {@link resolveQuantizer}, for `getConfig`. */
export function serializeQuantizer(quantizer: Quantizer | null): tf.serialization.ConfigDict | null {
  return quantizer && { className: quantizer.getClassName(), config: quantizer.getConfig() };
}
