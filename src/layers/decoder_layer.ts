/**
 * One decoder layer of BitNet b1.58 2B4T.
 *
 *     x = x + self_attn(input_layernorm(x));   y = x + mlp(post_attention_layernorm(x))
 *
 * With norms before and after (`pre_post`), named as Gemma 3's:
 *
 *     x = x + post_attention_layernorm(self_attn(input_layernorm(x)));
 *     y = x + post_feedforward_layernorm(mlp(pre_feedforward_layernorm(x)))
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
  private readonly feedForwardNorm?: RMSNorm;
  /** After attention and feed-forward, before their residuals. */
  private readonly postNorms?: readonly [attention: RMSNorm, feedForward: RMSNorm];
  private readonly feedForward: GatedFeedForward | UngatedFeedForward;

  constructor(args: DecoderLayerArgs) {
    super(args);
    // The name and the input shape are this layer's, the rest is meant for its parts.
    const parts = { ...args, name: undefined, inputShape: undefined, batchInputShape: undefined };
    const placement = placementOf(args);
    const norm = () => new RMSNorm({ epsilon: args.rmsNormEps });
    if (placement !== "every_linear") [this.inputNorm, this.feedForwardNorm] = [norm(), norm()];
    if (placement === "pre_post") this.postNorms = [norm(), norm()];
    this.selfAttention = new GroupedQueryAttention(parts);
    this.feedForward = args.feedForward === "mlp" ? new UngatedFeedForward(parts) : new GatedFeedForward(parts);
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const shape = singleShape(inputShape);
    if (this.inputNorm) this.buildPart("input_layernorm", this.inputNorm, shape);
    this.buildPart("self_attn", this.selfAttention, shape);
    const [afterAttention, afterFeedForward] = this.postNorms ?? [];
    if (afterAttention) this.buildPart("post_attention_layernorm", afterAttention, shape);
    const before = afterAttention ? "pre_feedforward_layernorm" : "post_attention_layernorm";
    if (this.feedForwardNorm) this.buildPart(before, this.feedForwardNorm, shape);
    this.buildPart("mlp", this.feedForward, shape);
    if (afterFeedForward) this.buildPart("post_feedforward_layernorm", afterFeedForward, shape);
    this.built = true;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    const [afterAttention, afterFeedForward] = this.postNorms ?? [];
    const attended = this.added(x, this.selfAttention, "self_attn", this.inputNorm, afterAttention);
    return this.added(attended, this.feedForward, "mlp", this.feedForwardNorm, afterFeedForward);
  }

  /** x + after(block(norm(x))): the block adds x itself, unless a norm or dropout comes between. */
  private added(x: tf.Tensor, block: QuantizedBlock, name: string, norm?: RMSNorm, after?: RMSNorm): tf.Tensor {
    if (!hasDropout() && after === undefined) return block.between(x, { norm, residual: x });
    const y = block.between(x, { norm });
    const normed = after === undefined ? y : after.forward(y);
    return tf.add(x, dropout(normed, hashName(`${this.path}${name}.dropout`)));
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
