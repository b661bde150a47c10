/** Rotary position embedding as a layer, for models that keep their own attention. No weights. */
import * as tf from "@tensorflow/tfjs";
import { rotaryOf } from "../config/rope_scaling.ts";
import { rotaryEmbedding } from "../ops/rotary_embedding.ts";
import { BlockLayer, type LayerArgs, LayerInputError } from "./block_layer.ts";
import { serializationPackage } from "./quantizers.ts";

export interface RotaryEmbeddingArgs extends LayerArgs {
  /** Base of the frequencies. Default 500000. */
  theta?: number;
}

/** [batch, positions, heads, head_dim] -> same shape, each head rotated by its position 0, 1, ... head_dim is even. */
export class RotaryEmbedding extends BlockLayer {
  static className = "RotaryEmbedding";
  private readonly theta: number;

  constructor(args: RotaryEmbeddingArgs = {}) {
    super(args);
    this.theta = args.theta ?? 500000;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    if (x.rank !== 4 || x.shape[3]! % 2 !== 0) {
      throw new LayerInputError(`${this.name} takes [batch, positions, heads, even head_dim], got [${x.shape}]`);
    }
    return rotaryEmbedding(x as tf.Tensor4D, rotaryOf(this.theta, null, x.shape[3]!));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), theta: this.theta };
  }
}

tf.serialization.registerClass(RotaryEmbedding, serializationPackage);
