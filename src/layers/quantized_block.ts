/** What attention and feed-forward share: quantizers, an optional sub-norm, matrices drawn from a normal distribution. */
import * as tf from "@tensorflow/tfjs";
import { observeLinear } from "../ops/linear_observer.ts";
import type { LinearSurroundings } from "../ops/linear_surroundings.ts";
import { defaultActivationQuantizer, defaultWeightQuantizer } from "../quantizers/registry.ts";
import { hashName } from "../random/counter_rng.ts";
import { BlockLayer, type LayerArgs } from "./block_layer.ts";
import { type QuantizerPair, quantizedLinear } from "./quantized_linear.ts";
import { type QuantizerIdentifier, resolveQuantizer, serializeQuantizer } from "./quantizers.ts";
import { RMSNorm } from "./rms_norm.ts";

/** Defaults are those of BitNet b1.58 2B4T. */
export interface QuantizedBlockArgs extends LayerArgs {
  /** Default `absmean_ternary`. */
  weightQuantizer?: QuantizerIdentifier;
  /** Default `absmax_int8`. */
  activationQuantizer?: QuantizerIdentifier;
  /** RMSNorm before the last projection. Default true. */
  useSubNorms?: boolean;
  /** Default 1e-5. */
  rmsNormEps?: number;
  /** Standard deviation of the initial weights. Default 0.02. */
  initializerRange?: number;
}

export abstract class QuantizedBlock extends BlockLayer {
  protected readonly subNorm: RMSNorm | null;
  private readonly quantizers: QuantizerPair;
  private readonly rmsNormEps: number;
  private readonly initializerRange: number;

  constructor(args: QuantizedBlockArgs) {
    super(args);
    this.quantizers = {
      weightQuantizer: resolveQuantizer(
        args.weightQuantizer === undefined ? defaultWeightQuantizer : args.weightQuantizer,
      ),
      activationQuantizer: resolveQuantizer(
        args.activationQuantizer === undefined ? defaultActivationQuantizer : args.activationQuantizer,
      ),
    };
    this.rmsNormEps = args.rmsNormEps ?? 1e-5;
    this.subNorm = (args.useSubNorms ?? true) ? new RMSNorm({ epsilon: this.rmsNormEps }) : null;
    this.initializerRange = args.initializerRange ?? 0.02;
  }

  /** Adds a linear weight [out, input] named `name`.weight. */
  protected addMatrix(name: string, out: number, input: number): tf.Tensor2D {
    const initializer = tf.initializers.randomNormal({ mean: 0, stddev: this.initializerRange });
    return this.addParameter(`${name}.weight`, [out, input], initializer) as tf.Tensor as tf.Tensor2D;
  }

  /** Quantized product with up to three weights, outputs concatenated; `name` is the product's within the block. */
  protected linear(name: string, x: tf.Tensor, weights: tf.Tensor2D[], surroundings: LinearSurroundings): tf.Tensor {
    observeLinear(this.path + name, x, surroundings);
    return quantizedLinear(x, weights, this.quantizers, surroundings, hashName(this.path + name));
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return this.between(x, {});
  }

  /** residual + forward(norm(x)): the block with what stands around it in a decoder layer. */
  abstract between(x: tf.Tensor, around: { norm?: RMSNorm; residual?: tf.Tensor }): tf.Tensor;

  override getConfig(): tf.serialization.ConfigDict {
    return {
      ...super.getConfig(),
      weightQuantizer: serializeQuantizer(this.quantizers.weightQuantizer),
      activationQuantizer: serializeQuantizer(this.quantizers.activationQuantizer),
      useSubNorms: this.subNorm !== null,
      rmsNormEps: this.rmsNormEps,
      initializerRange: this.initializerRange,
    };
  }
}
