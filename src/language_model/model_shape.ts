/** The sizes of a Llama-like decoder that its memory and energy depend on. */
import type { ModelConfig } from "../config/model_config.ts";

export interface ModelShape {
  numHiddenLayers: number;
  /** Heads times head size: the width of the attention products. */
  attentionWidth: number;
  /** Weights of the linear layers, embedding and head left out. */
  linearWeights: number;
  /** The linear layers multiply ternary weights with int8 activations: additions of int8 only. */
  ternary: boolean;
}

/** What the shape is derived from: a part of our configuration, or what the files of others say of the same things. */
export type ShapeSizes = Pick<
  ModelConfig,
  "hiddenSize" | "numHiddenLayers" | "intermediateSize" | "numAttentionHeads" | "numKeyValueHeads" | "headDim"
> &
  Partial<Pick<ModelConfig, "feedForward">>;

/** Shape of a decoder with four attention and three feed-forward matrices a layer, two where there is no gate. */
export function shapeOf(sizes: ShapeSizes, ternary: boolean): ModelShape {
  const attentionWidth = sizes.numAttentionHeads * sizes.headDim;
  const keyValueWidth = sizes.numKeyValueHeads * sizes.headDim;
  const feedForwardMatrices = sizes.feedForward === "mlp" ? 2 : 3;
  const perLayer =
    sizes.hiddenSize * (2 * attentionWidth + 2 * keyValueWidth + feedForwardMatrices * sizes.intermediateSize);
  return {
    numHiddenLayers: sizes.numHiddenLayers,
    attentionWidth,
    linearWeights: sizes.numHiddenLayers * perLayer,
    ternary,
  };
}
