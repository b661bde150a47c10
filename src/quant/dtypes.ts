/** Types that scales and embeddings are stored in, and rounded to in the training forward. */
export const scaleDtypes = ["f16", "bf16", "f32"] as const;
export const embeddingDtypes = ["f16", "bf16", "f32", "q8_0"] as const;

/** Of a weight scale. */
export type ScaleDtype = (typeof scaleDtypes)[number];
/** Of the embedding and the head. */
export type EmbeddingDtype = (typeof embeddingDtypes)[number];
