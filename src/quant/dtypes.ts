/** Types that scales and embeddings are stored in, and rounded to in the training forward. */
export const scaleDtypes = ["f16", "bf16", "f32"] as const;
export const floatDtypes = ["f16", "bf16", "f32", "q8_0"] as const;
export const embeddingDtypes = [...floatDtypes, "int8_row"] as const;

/** Of a weight scale. */
export type ScaleDtype = (typeof scaleDtypes)[number];
/** What values are rounded to, whatever rows they lie in. */
export type FloatDtype = (typeof floatDtypes)[number];
/** Of the embedding and the head. `int8_row`: the head multiplies in integers, too (int8_rows.ts). */
export type EmbeddingDtype = (typeof embeddingDtypes)[number];
