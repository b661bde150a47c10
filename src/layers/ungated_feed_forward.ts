/**
 * Feed-forward block without gate, with BitLinear projections.
 *
 *     y = BitLinear_down(ffn_sub_norm(relu(BitLinear_up(x))^2))
 */
import * as tf from "@tensorflow/tfjs";
import { LayerInputError, lastDimension } from "./block_layer.ts";
import type { GatedFeedForwardArgs } from "./gated_feed_forward.ts";
import { type BlockLinear, QuantizedBlock } from "./quantized_block.ts";
import { serializationPackage } from "./quantizers.ts";
import type { RMSNorm } from "./rms_norm.ts";

/** [..., width] -> same shape. */
export class UngatedFeedForward extends QuantizedBlock {
  static className = "UngatedFeedForward";
  private readonly intermediateSize: number;
  private readonly mlpBias: boolean;
  private inputProjection!: BlockLinear;
  private outputProjection!: BlockLinear;

  constructor(args: GatedFeedForwardArgs) {
    super(args);
    this.intermediateSize = args.intermediateSize;
    this.mlpBias = args.mlpBias ?? false;
    const { hiddenAct = "relu2" } = args;
    if (hiddenAct !== "relu2") throw new LayerInputError(`hiddenAct "${hiddenAct}" is not relu2, without a gate`);
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const width = lastDimension(inputShape, this);
    const bias = this.mlpBias;
    this.inputProjection = this.addLinear("up_proj", this.intermediateSize, width, { bias });
    const last = { subNorm: "ffn_sub_norm", bias };
    this.outputProjection = this.addLinear("down_proj", width, this.intermediateSize, last);
    this.built = true;
  }

  override between(x: tf.Tensor, { norm, residual }: { norm?: RMSNorm; residual?: tf.Tensor }): tf.Tensor {
    const up = this.linear("up", x, [this.inputProjection], { norm });
    return this.linear("down", up, [this.outputProjection], {
      activation: "squared_relu",
      hadamard: this.useHadamard,
      residual,
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), intermediateSize: this.intermediateSize, mlpBias: this.mlpBias };
  }
}

tf.serialization.registerClass(UngatedFeedForward, serializationPackage);
