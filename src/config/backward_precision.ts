/** How the matrix products of the backward pass round the gradients they multiply (see src/ops/bit_linear.ts). */
export const backwardPrecisions = ["f32", "bf16", "int8"] as const;
export type BackwardPrecision = (typeof backwardPrecisions)[number];
