/** RMSNorm as a layer: y = gain * x / sqrt(mean(x^2) + epsilon) over the last axis. */
import * as tf from "@tensorflow/tfjs";
import { rmsNorm } from "../ops/rms_norm.ts";
import { BlockLayer, type LayerArgs, lastDimension } from "./block_layer.ts";
import { serializationPackage } from "./quantizers.ts";

export interface RMSNormArgs extends LayerArgs {
  /** Added to the mean square. Default 1e-5. */
  epsilon?: number;
}

/** [..., n] -> [..., n]. One weight: the gain [n], initially 1. */
export class RMSNorm extends BlockLayer {
  static className = "RMSNorm";
  readonly epsilon: number;
  /** [n]; set by `build`. */
  gain!: tf.Tensor1D;

  constructor(args: RMSNormArgs = {}) {
    super(args);
    this.epsilon = args.epsilon ?? 1e-5;
    this.supportsMasking = true;
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    this.gain = this.addParameter("weight", [lastDimension(inputShape, this)], tf.initializers.ones()) as tf.Tensor1D;
    this.built = true;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return rmsNorm(x, this.gain, this.epsilon);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), epsilon: this.epsilon };
  }
}

tf.serialization.registerClass(RMSNorm, serializationPackage);
