/**
 * Energy of a forward pass, estimated as the technical report of BitNet b1.58 2B4T does (Ma et al. 2025, arXiv 2504.12285,
 * table 1): the arithmetic of all matrix products, at the energy of one addition and one multiplication in a 7 nm process
 * (Horowitz 2014 and Zhang et al. 2022, as quoted by Wang et al. 2023, arXiv 2310.11453, table 1). With 512 tokens, the head
 * and the embedding left out, and the attention products of full 512 x 512 matrices in FP16, it gives the report's figures.
 *
 *     linear layers   weights * tokens * (add + multiply), FP16; ternary: weights * tokens * add, INT8
 *     attention       layers * 2 * tokens^2 * width * (add + multiply), FP16
 *
 * Memory traffic, which costs more than arithmetic on real machines, is not in it: an estimate to compare models with, no
 * measurement.
 */
import type { ModelShape } from "../../language_model/model_shape.ts";

/** Joules of one operation at 7 nm. */
const fp16 = { add: 0.16e-12, multiply: 0.34e-12 };
const int8 = { add: 0.007e-12 };

/** The report's sequence length. */
export const energyTokens = 512;

export interface ArithmeticOperations {
  int8Additions: number;
  fp16Additions: number;
  fp16Multiplications: number;
}

/** Operations for a sequence of {@link energyTokens} tokens. */
export function arithmeticOperations(shape: ModelShape): ArithmeticOperations {
  const linear = shape.linearWeights * energyTokens;
  const attention = shape.numHiddenLayers * 2 * energyTokens ** 2 * shape.attentionWidth;
  const fp16 = attention + (shape.ternary ? 0 : linear);
  return { int8Additions: shape.ternary ? linear : 0, fp16Additions: fp16, fp16Multiplications: fp16 };
}

/** Joules for a sequence of {@link energyTokens} tokens. */
export function arithmeticEnergy(shape: ModelShape): number {
  const { int8Additions, fp16Additions, fp16Multiplications } = arithmeticOperations(shape);
  return int8Additions * int8.add + fp16Additions * fp16.add + fp16Multiplications * fp16.multiply;
}
