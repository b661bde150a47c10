/** Shapes of the models that the contests train and evaluate. */

export interface TrainingShape {
  hidden: number;
  layers: number;
  heads: number;
  kvHeads: number;
  intermediate: number;
  vocab: number;
  sequence: number;
  batch: number;
}

/** The shapes whose PyTorch figures are known, and larger ones. */
export const trainingShapes: Record<string, TrainingShape> = {
  T: { hidden: 128, layers: 4, heads: 4, kvHeads: 4, intermediate: 352, vocab: 96, sequence: 128, batch: 32 },
  S: { hidden: 256, layers: 6, heads: 8, kvHeads: 4, intermediate: 704, vocab: 4096, sequence: 256, batch: 16 },
  M: { hidden: 512, layers: 8, heads: 8, kvHeads: 4, intermediate: 1408, vocab: 8192, sequence: 256, batch: 8 },
  L: { hidden: 768, layers: 12, heads: 12, kvHeads: 4, intermediate: 2048, vocab: 16384, sequence: 512, batch: 4 },
  // The 700 M model of BitNet's "Training Tips", one short sequence at a time.
  XL: { hidden: 1536, layers: 24, heads: 24, kvHeads: 24, intermediate: 4096, vocab: 32002, sequence: 256, batch: 1 },
};

/** In the only form that llama.cpp runs: gated SiLU, and rows of whole blocks of 256 (M has 1408 elsewhere). */
export const evaluationShapes: Record<string, object> = {
  M: { hidden_size: 512, num_hidden_layers: 8, num_attention_heads: 8, intermediate_size: 1536, vocab_size: 8192 },
  "100M": {
    hidden_size: 768,
    num_hidden_layers: 12,
    num_attention_heads: 12,
    intermediate_size: 2048,
    vocab_size: 30720,
  },
};
