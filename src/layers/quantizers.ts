/**
 * Quantizers of the layers: objects given by name (`"absmean_ternary"`), by instance, or by a serialized
 * configuration, as larq users expect. A quantizer maps a latent tensor to its dequantized values, with a
 * straight-through gradient. The two of BitNet b1.58 are fused into the linear product; any other subclass works too.
 */
import * as tf from "@tensorflow/tfjs";
import { type ScaleDtype, scaleDtypes } from "../config/model_config.ts";
import { UserError } from "../errors/user_error.ts";
import { absmaxInt8Activations, absmeanTernaryWeights } from "../ops/fake_quantize.ts";
import { type ScaleDtype, scaleDtypes } from "../quant/dtypes.ts";

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

/** Weights [N, K] to -1, 0, +1 times one scale: max(mean |W|, 1e-5), rounded to `scaleDtype` (default f16). */
export class AbsmeanTernary extends Quantizer {
  static className = "AbsmeanTernary";
  readonly scaleDtype: ScaleDtype;

  constructor(config: { scaleDtype?: ScaleDtype } = {}) {
    super();
    this.scaleDtype = config.scaleDtype ?? "f16";
    if (!scaleDtypes.includes(this.scaleDtype)) {
      throw new QuantizerError(`scaleDtype "${this.scaleDtype}" is not one of ${scaleDtypes.join(", ")}`);
    }
  }

  override apply(x: tf.Tensor): tf.Tensor {
    return absmeanTernaryWeights(x as tf.Tensor2D, this.scaleDtype);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { scaleDtype: this.scaleDtype };
  }
}

/** Activations [..., K] to int8 times one scale per row: max(max |x|, 1e-5) / 127. */
export class AbsmaxInt8 extends Quantizer {
  static className = "AbsmaxInt8";

  override apply(x: tf.Tensor): tf.Tensor {
    return absmaxInt8Activations(x);
  }
}

tf.serialization.registerClass(AbsmeanTernary, serializationPackage);
tf.serialization.registerClass(AbsmaxInt8, serializationPackage);

/** A registered class with its configuration, as `getConfig` writes it. */
export interface SerializedQuantizer {
  className: string;
  config: tf.serialization.ConfigDict;
}

export type QuantizerIdentifier = "absmean_ternary" | "absmax_int8" | "none" | Quantizer | SerializedQuantizer | null;

/** The quantizer that an identifier stands for; null for "none". */
export function resolveQuantizer(identifier: QuantizerIdentifier): Quantizer | null {
  if (identifier === null || identifier === "none") return null;
  if (identifier instanceof Quantizer) return identifier;
  if (identifier === "absmean_ternary") return new AbsmeanTernary();
  if (identifier === "absmax_int8") return new AbsmaxInt8();
  if (typeof identifier === "string") {
    throw new QuantizerError(`unknown quantizer "${identifier}": use absmean_ternary, absmax_int8 or none`);
  }
  const entry = tf.serialization.SerializationMap.getMap().classNameMap[identifier.className];
  const quantizer = entry ? entry[1](entry[0], identifier.config) : null;
  if (!(quantizer instanceof Quantizer)) {
    throw new QuantizerError(`"${identifier.className}" is not a registered Quantizer class`);
  }
  return quantizer;
}

/** Inverse of {@link resolveQuantizer}, for `getConfig`. */
export function serializeQuantizer(quantizer: Quantizer | null): tf.serialization.ConfigDict | null {
  return quantizer && { className: quantizer.getClassName(), config: quantizer.getConfig() };
}
