/**
 * Causal grouped-query self-attention (arXiv 2305.13245) with rotary embedding and BitLinear projections.
 *
 *     q | k | v = BitLinear(x);  q, k = q_norm(q), k_norm(k) of each head, with `qkNorm`
 *     out = attention(rope(q), rope(k), v);  y = BitLinear_o(attn_sub_norm(out))
 *
 * The three projections share one quantized input, so they are one fused product; their weights stay separate. With a norm
 * in every linear layer each has an input of its own.
 */
import * as tf from "@tensorflow/tfjs";
import type { AttentionBias } from "../config/graph_keys.ts";
import { type RopeScaling, rotaryOf } from "../config/rope_scaling.ts";
import { type AttentionShape, causalAttention } from "../ops/causal_attention.ts";
import { headNorm } from "../ops/head_norm.ts";
import { LayerInputError, lastDimension } from "./block_layer.ts";
import { type BlockLinear, QuantizedBlock, type QuantizedBlockArgs } from "./quantized_block.ts";
import { serializationPackage } from "./quantizers.ts";
import { RMSNorm } from "./rms_norm.ts";

export interface GroupedQueryAttentionArgs extends QuantizedBlockArgs {
  numAttentionHeads: number;
  /** Divides numAttentionHeads; default: the same number. */
  numKeyValueHeads?: number;
  /** Even; default: input width / numAttentionHeads. */
  headDim?: number | null;
  /** Default 500000. */
  ropeTheta?: number;
  /** Of the rotary embedding, for a longer context. Default none. */
  ropeScaling?: RopeScaling | null;
  /** Positions that a token sees, itself included. Default: all before it. */
  slidingWindow?: number | null;
  /** RMSNorm of each query and key head before its rotation. Default false. */
  qkNorm?: boolean;
  /** Which projections have biases. Default `none`. */
  attentionBias?: AttentionBias;
}

/** [batch, positions, width] -> same shape. */
export class GroupedQueryAttention extends QuantizedBlock {
  static className = "GroupedQueryAttention";
  private readonly heads: number;
  private readonly kvHeads: number;
  private readonly headDim: number | null;
  private readonly ropeTheta: number;
  private readonly ropeScaling: RopeScaling | null;
  private readonly slidingWindow: number | null;
  private readonly attentionBias: AttentionBias;
  private readonly headNorms: { q_norm: RMSNorm; k_norm: RMSNorm } | null;
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
    this.ropeScaling = args.ropeScaling ?? null;
    this.slidingWindow = args.slidingWindow ?? null;
    this.attentionBias = args.attentionBias ?? "none";
    const norm = () => new RMSNorm({ epsilon: args.rmsNormEps });
    this.headNorms = args.qkNorm ? { q_norm: norm(), k_norm: norm() } : null;
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const width = lastDimension(inputShape, this);
    const headDim = this.headDim ?? width / this.heads;
    if (headDim % 2 !== 0) throw new LayerInputError(`${this.name}: head_dim must be even, got ${headDim}`);
    const rotary = rotaryOf(this.ropeTheta, this.ropeScaling, headDim);
    const window = this.slidingWindow;
    this.attention = { heads: this.heads, kvHeads: this.kvHeads, headDim, rotary, window };
    const bias = this.attentionBias !== "none";
    this.inputProjections = [
      this.addLinear("q_proj", this.heads * headDim, width, { bias }),
      this.addLinear("k_proj", this.kvHeads * headDim, width, { bias }),
      this.addLinear("v_proj", this.kvHeads * headDim, width, { bias }),
    ];
    for (const [name, norm] of Object.entries(this.headNorms ?? {})) this.buildPart(name, norm, [null, null, headDim]);
    const last = { subNorm: "attn_sub_norm", bias: this.attentionBias === "all" };
    this.outputProjection = this.addLinear("o_proj", width, this.heads * headDim, last);
    this.built = true;
  }

  override between(x: tf.Tensor, { norm, residual }: { norm?: RMSNorm; residual?: tf.Tensor }): tf.Tensor {
    const projected = this.linear("qkv", x, this.inputProjections, { norm }) as tf.Tensor3D;
    const qkv = this.headNorms === null ? projected : this.normed(projected, this.headNorms);
    const out = causalAttention(qkv, this.attention);
    return this.linear("o", out, [this.outputProjection], { hadamard: this.useHadamard, residual });
  }

  private normed(qkv: tf.Tensor3D, { q_norm: q, k_norm: k }: { q_norm: RMSNorm; k_norm: RMSNorm }): tf.Tensor3D {
    return headNorm(qkv, q.gain, k.gain, this.attention, q.epsilon);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {
      ...super.getConfig(),
      numAttentionHeads: this.heads,
      numKeyValueHeads: this.kvHeads,
      headDim: this.headDim,
      ropeTheta: this.ropeTheta,
      ropeScaling: this.ropeScaling === null ? null : { ...this.ropeScaling },
      slidingWindow: this.slidingWindow,
      qkNorm: this.headNorms !== null,
      attentionBias: this.attentionBias,
    };
  }
}

tf.serialization.registerClass(GroupedQueryAttention, serializationPackage);
