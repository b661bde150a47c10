/**
 * Gated feed-forward block with BitLinear projections.
 *
 *     gate | up = BitLinear(x);  y = BitLinear_down(ffn_sub_norm(act(gate) * up)),   act = relu^2 or SiLU
 */
import * as tf from "@tensorflow/tfjs";
import { type HiddenAct, hiddenActs } from "../config/model_config.ts";
import { LayerInputError, lastDimension } from "./block_layer.ts";
import { type BlockLinear, QuantizedBlock, type QuantizedBlockArgs } from "./quantized_block.ts";
import { serializationPackage } from "./quantizers.ts";
import type { RMSNorm } from "./rms_norm.ts";

export interface GatedFeedForwardArgs extends QuantizedBlockArgs {
  /** Width between the projections. */
  intermediateSize: number;
  /** Default `relu2`. */
  hiddenAct?: HiddenAct;
  /** Biases of all projections. Default false. */
  mlpBias?: boolean;
}

/** [..., width] -> same shape. */
export class GatedFeedForward extends QuantizedBlock {
  static className = "GatedFeedForward";
  private readonly intermediateSize: number;
  private readonly hiddenAct: HiddenAct;
  private readonly mlpBias: boolean;
  private inputProjections!: BlockLinear[];
  private outputProjection!: BlockLinear;

  constructor(args: GatedFeedForwardArgs) {
    super(args);
    this.intermediateSize = args.intermediateSize;
    this.hiddenAct = args.hiddenAct ?? "relu2";
    this.mlpBias = args.mlpBias ?? false;
    if (!hiddenActs.includes(this.hiddenAct)) {
      throw new LayerInputError(`hiddenAct "${this.hiddenAct}" is not one of ${hiddenActs.join(", ")}`);
    }
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const width = lastDimension(inputShape, this);
    const bias = this.mlpBias;
    this.inputProjections = [
      this.addLinear("gate_proj", this.intermediateSize, width, { bias }),
      this.addLinear("up_proj", this.intermediateSize, width, { bias }),
    ];
    const last = { subNorm: "ffn_sub_norm", bias };
    this.outputProjection = this.addLinear("down_proj", width, this.intermediateSize, last);
    this.built = true;
  }

  override between(x: tf.Tensor, { norm, residual }: { norm?: RMSNorm; residual?: tf.Tensor }): tf.Tensor {
    const gateUp = this.linear("gate_up", x, this.inputProjections, { norm });
    return this.linear("down", gateUp, [this.outputProjection], {
      activation: this.hiddenAct,
      hadamard: this.useHadamard,
      residual,
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {
      ...super.getConfig(),
      intermediateSize: this.intermediateSize,
      hiddenAct: this.hiddenAct,
      mlpBias: this.mlpBias,
    };
  }
}

tf.serialization.registerClass(GatedFeedForward, serializationPackage);
