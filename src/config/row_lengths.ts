/** Input sizes of the linear layers: what blocks of a packed type and groups of a scale must divide. */

/** The keys of a model configuration that set them. */
interface LinearSizes {
  hiddenSize: number;
  numAttentionHeads: number;
  headDim: number;
  intermediateSize: number;
}

/** A row length, and what to call it. */
export interface RowLength {
  key: string;
  size: number;
}

export function rowLengths(config: LinearSizes): RowLength[] {
  return [
    { key: "hidden_size", size: config.hiddenSize },
    { key: "num_attention_heads x head_dim", size: config.numAttentionHeads * config.headDim },
    { key: "intermediate_size", size: config.intermediateSize },
  ];
}
