/**
 * One decoder layer of BitNet b1.58 2B4T.
 *
 *     x = x + self_attn(input_layernorm(x));   y = x + mlp(post_attention_layernorm(x))
 *
 * In a training pass with dropout, both branches go through it before they are added. With a norm in every linear layer, `input_layernorm` and `post_attention_layernorm` are left out.
 */
import * as tf from "@tensorflow/tfjs";
import type { FeedForward } from "../config/graph_keys.ts";
import { hasDropout } from "../ops/backward_pass.ts";
import { dropout } from "../ops/dropout.ts";
import { hashName } from "../random/counter_rng.ts";
import { BlockLayer, singleShape } from "./block_layer.ts";
import { GatedFeedForward, type GatedFeedForwardArgs } from "./gated_feed_forward.ts";
import { GroupedQueryAttention, type GroupedQueryAttentionArgs } from "./grouped_query_attention.ts";
import { placementOf, type QuantizedBlock } from "./quantized_block.ts";
import { serializationPackage } from "./quantizers.ts";
import { RMSNorm } from "./rms_norm.ts";
import { UngatedFeedForward } from "./ungated_feed_forward.ts";

export type DecoderLayerArgs = GroupedQueryAttentionArgs &
  GatedFeedForwardArgs & {
    /** `mlp` has no gate. Default `gated`. */
    feedForward?: FeedForward;
  };

/** [batch, positions, width] -> same shape. Weights have the names of a Hugging Face decoder layer. */
export class DecoderLayer extends BlockLayer {
  static className = "DecoderLayer";
  private readonly inputNorm?: RMSNorm;
  private readonly selfAttention: GroupedQueryAttention;
  private readonly postAttentionNorm?: RMSNorm;
  private readonly feedForward: GatedFeedForward | UngatedFeedForward;

  constructor(args: DecoderLayerArgs) {
    super(args);
    // The name and the input shape are this layer's, the rest is meant for its parts.
    const parts = { ...args, name: undefined, inputShape: undefined, batchInputShape: undefined };
    if (placementOf(args) !== "every_linear") {
      this.inputNorm = new RMSNorm({ epsilon: args.rmsNormEps });
      this.postAttentionNorm = new RMSNorm({ epsilon: args.rmsNormEps });
    }
    this.selfAttention = new GroupedQueryAttention(parts);
    this.feedForward = args.feedForward === "mlp" ? new UngatedFeedForward(parts) : new GatedFeedForward(parts);
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const shape = singleShape(inputShape);
    if (this.inputNorm) this.buildPart("input_layernorm", this.inputNorm, shape);
    this.buildPart("self_attn", this.selfAttention, shape);
    if (this.postAttentionNorm) this.buildPart("post_attention_layernorm", this.postAttentionNorm, shape);
    this.buildPart("mlp", this.feedForward, shape);
    this.built = true;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    const attended = this.added(x, this.selfAttention, this.inputNorm, "self_attn");
    return this.added(attended, this.feedForward, this.postAttentionNorm, "mlp");
  }

  /** x + block(norm(x)): the block adds x itself, unless dropout comes between. */
  private added(x: tf.Tensor, block: QuantizedBlock, norm: RMSNorm | undefined, name: string): tf.Tensor {
    if (!hasDropout()) return block.between(x, { norm, residual: x });
    return tf.add(x, dropout(block.between(x, { norm }), hashName(`${this.path}${name}.dropout`)));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {
      ...this.selfAttention.getConfig(),
      ...this.feedForward.getConfig(),
      feedForward: this.feedForward instanceof UngatedFeedForward ? "mlp" : "gated",
      ...super.getConfig(),
    };
  }
}

tf.serialization.registerClass(DecoderLayer, serializationPackage);
