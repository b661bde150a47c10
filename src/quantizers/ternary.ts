/** What the ternary quantizers share: the levels, the smallest scale, the canonical mean and the rounding to a grid. */
import { roundAndClip } from "../quant/round_half_even.ts";

export const ternaryLevels: readonly number[] = [-1, 0, 1];

/**
 * Smallest scale: keeps the reciprocal finite where all weights are 0. The official code of BitNet b1.58 clamps the mean
 * at it.
 */
export const smallestScale = Math.fround(1e-5);

/** Lanes of the canonical sum: element i of a row belongs to lane i mod 16 (native/cc/core/canonical_math.h). */
const laneCount = 16;
const lanes = new Float64Array(laneCount);

/** Sum of |w| of `count` values from `begin` in float64: 16 lanes in order, then the tree 16 -> 8 -> 4 -> 2 -> 1. */
export function absoluteSum(weight: Float32Array, begin: number, count: number): number {
  lanes.fill(0);
  for (let i = 0; i < count; i++) lanes[i & (laneCount - 1)] += Math.abs(weight[begin + i]);
  for (let width = laneCount / 2; width >= 1; width /= 2) {
    for (let i = 0; i < width; i++) lanes[i] += lanes[i + width];
  }
  return lanes[0];
}

/** max(total / count, 1e-5) in float32: the absmean scale of `count` weights. NaN stays. */
export function absmeanOf(total: number, count: number): number {
  return Math.max(Math.fround(total / count), smallestScale);
}

/** codes = clip(round_half_even(w * (1 / scale)), -1, 1) of `count` weights from `begin`, float32. */
export function ternarize(weight: Float32Array, begin: number, count: number, scale: number, codes: Int8Array): void {
  const inverse = Math.fround(1 / scale);
  for (let i = begin; i < begin + count; i++) codes[i] = roundAndClip(Math.fround(weight[i] * inverse), -1, 1);
}
