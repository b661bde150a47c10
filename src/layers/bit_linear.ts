/**
 * BitLinear as a layer: a drop-in for `tf.layers.dense` whose weights are ternary and whose inputs are int8.
 *
 *     y = activation(quantized(x) . quantized(kernel) + bias)
 *
 * It is tfjs's own Dense with another product: the kernel is latent float32 [inputDim, units], and every option of
 * `tf.layers.dense` (useBias, initializers, regularizers, constraints ...) means the same.
 */
import * as tf from "@tensorflow/tfjs";
import { defaultActivationQuantizer, defaultWeightQuantizer } from "../quantizers/registry.ts";
import { hashName } from "../random/counter_rng.ts";
import type { LayerArgs } from "./block_layer.ts";
import { quantizedLinear } from "./quantized_linear.ts";
import {
  listedValue,
  type Quantizer,
  type QuantizerIdentifier,
  requireNothingLearnt,
  resolveQuantizer,
  serializationPackage,
  serializeQuantizer,
} from "./quantizers.ts";

type DenseArgs = Parameters<typeof tf.layers.dense>[0];

export type BitLinearArgs = LayerArgs &
  DenseArgs & {
    /** Of the kernel; default `absmean_ternary` with a float16 scale. */
    weightQuantizer?: QuantizerIdentifier;
    /** Of the input, one scale per row; default `absmax_int8`. */
    activationQuantizer?: QuantizerIdentifier;
  };

/** The members of tfjs's Dense that a subclass needs; the library exports a factory, not the class. */
interface DenseLayer extends tf.layers.Layer {
  kernel: tf.LayerVariable;
  bias: tf.LayerVariable | null;
  activation: { apply(x: tf.Tensor): tf.Tensor };
}

/** tfjs's registry is its public way from a class name to the class. */
const Dense = tf.serialization.SerializationMap.getMap().classNameMap.Dense![0] as unknown as {
  new (args: DenseArgs): DenseLayer;
  fromConfig: typeof tf.layers.Layer.fromConfig;
};

/** [..., inputDim] -> [..., units]. */
export class BitLinear extends Dense {
  static className = "BitLinear";
  readonly weightQuantizer: Quantizer | null;
  readonly activationQuantizer: Quantizer | null;

  constructor(args: BitLinearArgs) {
    super(args);
    const { weightQuantizer = defaultWeightQuantizer, activationQuantizer = defaultActivationQuantizer } = args;
    this.weightQuantizer = resolveQuantizer(weightQuantizer);
    this.activationQuantizer = resolveQuantizer(activationQuantizer);
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    super.build(inputShape);
    const [cols, rows] = this.kernel.shape as [number, number];
    requireNothingLearnt(listedValue(this.weightQuantizer), { rows, cols });
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = Array.isArray(inputs) ? inputs[0] : inputs;
      // The op takes weights as [units, inputDim], as checkpoints store them.
      const weight = tf.transpose(this.kernel.read() as tf.Tensor2D);
      const product = quantizedLinear(x, [weight], this, {}, hashName(this.name));
      return this.activation.apply(this.bias ? tf.add(product, this.bias.read()) : product);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {
      ...super.getConfig(),
      weightQuantizer: serializeQuantizer(this.weightQuantizer),
      activationQuantizer: serializeQuantizer(this.activationQuantizer),
    };
  }
}

tf.serialization.registerClass(BitLinear, serializationPackage);
