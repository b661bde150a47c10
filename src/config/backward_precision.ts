/** How the matrix products of the backward pass round the gradients they multiply (see src/ops/bit_linear.ts). */
export const backwardPrecisions = ["f32", "bf16", "int8"] as const;
export type BackwardPrecision = (typeof backwardPrecisions)[number];

/** What a recipe may say: `auto` is resolved once, at the start of a run (resolve_backward_precision.ts). */
export const backwardPrecisionChoices = ["auto", ...backwardPrecisions] as const;

/** What runs of before the key existed were trained with. */
export const earliestBackwardPrecision: BackwardPrecision = "f32";
