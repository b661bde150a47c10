/**
 * Causal grouped-query self-attention (arXiv 2305.13245) with rotary embedding and BitLinear projections.
 *
 *     q | k | v = BitLinear(x);  out = attention(rope(q), rope(k), v);  y = BitLinear_o(attn_sub_norm(out))
 *
 * The three projections share one quantized input, so they are one fused product; their weights stay separate. With a norm
 * in every linear layer each has an input of its own.
 */
import * as tf from "@tensorflow/tfjs";
import { type AttentionShape, causalAttention } from "../ops/causal_attention.ts";
import { LayerInputError, lastDimension } from "./block_layer.ts";
import { type BlockLinear, QuantizedBlock, type QuantizedBlockArgs } from "./quantized_block.ts";
import { serializationPackage } from "./quantizers.ts";
import type { RMSNorm } from "./rms_norm.ts";

export interface GroupedQueryAttentionArgs extends QuantizedBlockArgs {
  numAttentionHeads: number;
  /** Divides numAttentionHeads; default: the same number. */
  numKeyValueHeads?: number;
  /** Even; default: input width / numAttentionHeads. */
  headDim?: number | null;
  /** Default 500000. */
  ropeTheta?: number;
}

/** [batch, positions, width] -> same shape. */
export class GroupedQueryAttention extends QuantizedBlock {
  static className = "GroupedQueryAttention";
  private readonly heads: number;
  private readonly kvHeads: number;
  private readonly headDim: number | null;
  private readonly ropeTheta: number;
  private attention!: AttentionShape;
  private inputProjections!: BlockLinear[];
  private outputProjection!: BlockLinear;

  constructor(args: GroupedQueryAttentionArgs) {
    super(args);
    this.heads = args.numAttentionHeads;
    this.kvHeads = args.numKeyValueHeads ?? this.heads;
    if (!(this.heads > 0) || this.heads % this.kvHeads !== 0) {
      throw new LayerInputError(`numKeyValueHeads (${this.kvHeads}) must divide numAttentionHeads (${this.heads})`);
    }
    this.headDim = args.headDim ?? null;
    this.ropeTheta = args.ropeTheta ?? 500000;
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const width = lastDimension(inputShape, this);
    const headDim = this.headDim ?? width / this.heads;
    if (headDim % 2 !== 0) throw new LayerInputError(`${this.name}: head_dim must be even, got ${headDim}`);
    this.attention = { heads: this.heads, kvHeads: this.kvHeads, headDim, ropeTheta: this.ropeTheta };
    this.inputProjections = [
      this.addLinear("q_proj", this.heads * headDim, width),
      this.addLinear("k_proj", this.kvHeads * headDim, width),
      this.addLinear("v_proj", this.kvHeads * headDim, width),
    ];
    this.outputProjection = this.addLinear("o_proj", width, this.heads * headDim, "attn_sub_norm");
    this.built = true;
  }

  override between(x: tf.Tensor, { norm, residual }: { norm?: RMSNorm; residual?: tf.Tensor }): tf.Tensor {
    const qkv = this.linear("qkv", x, this.inputProjections, { norm }) as tf.Tensor3D;
    const out = causalAttention(qkv, this.attention);
    return this.linear("o", out, [this.outputProjection], { hadamard: this.useHadamard, residual });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {
      ...super.getConfig(),
      numAttentionHeads: this.heads,
      numKeyValueHeads: this.kvHeads,
      headDim: this.headDim,
      ropeTheta: this.ropeTheta,
    };
  }
}

tf.serialization.registerClass(GroupedQueryAttention, serializationPackage);
