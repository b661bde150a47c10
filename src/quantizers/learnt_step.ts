/**
 * What quantizers with a learnt step share: "Learned Step Size Quantization" (LSQ, arXiv 1902.08153), as ParetoQ's code
 * computes it (arXiv 2502.02631, LsqBinaryTernaryExtension), for levels from `low` to `high`.
 *
 *     forward     a = max(step, 1e-5);   codes = clip(round_half_even(W / a), low, high);   W~ = codes * scale_dtype(a)
 *     backward    dW = dW~ where low <= W / a <= high, else 0
 *                 dstep = g * sum dW~ * (codes - W / a, or the limit where W / a is outside)
 *                 g = 1 / sqrt(weights of the matrix * high)
 *
 * Not differentiated: the rounding of the codes (straight-through) and of the scale, and the limit of 1e-5, through which
 * the gradient passes so that a step below it comes back. g makes the step's gradient of the size of the weights'. Sums
 * are float64 in memory order. First value: 2 mean |W| / sqrt(high), the paper's.
 */
import type { ScaleDtype } from "../quant/dtypes.ts";
import { roundAndClip } from "../quant/round_half_even.ts";
import { quantizeSpans, weightsPerScale } from "./granularity.ts";
import { absoluteSum, smallestScale } from "./ternary.ts";
import {
  type LearntParameter,
  type MatrixShape,
  type QuantizedMatrix,
  type QuantizerGradients,
  type ScaleGranularity,
  scaleCount,
} from "./weight_quantizer.ts";

/** Smallest and largest code. */
export interface CodeRange {
  low: number;
  high: number;
}

/** The step that is used for a learnt one. NaN stays. */
export function positiveStep(step: number): number {
  return Math.max(step, smallestScale);
}

/** One step for each scale; `initialOf` gives its first value for `count` weights from `begin`. */
export function stepParameter(
  scales: ScaleGranularity,
  shape: MatrixShape,
  initialOf: (latent: Float32Array, begin: number, count: number) => number,
): LearntParameter {
  const each = weightsPerScale(scales, shape);
  const count = scaleCount(scales, shape);
  return {
    suffix: "step",
    shape: [count],
    initial: (latent) => Float32Array.from({ length: count }, (_, i) => initialOf(latent, i * each, each)),
  };
}

/** 2 mean |W| / sqrt(high). */
export function lsqInitialStep({ high }: CodeRange) {
  return (latent: Float32Array, begin: number, count: number) =>
    (2 * (absoluteSum(latent, begin, count) / count)) / Math.sqrt(high);
}

export function quantizeByStep(
  latent: Float32Array,
  shape: MatrixShape,
  steps: Float32Array,
  scales: ScaleGranularity,
  { low, high }: CodeRange,
  scaleDtype: ScaleDtype,
): QuantizedMatrix {
  return quantizeSpans(scales, shape, scaleDtype, (begin, count, codes, index) => {
    const step = positiveStep(steps[index]);
    for (let i = begin; i < begin + count; i++) codes[i] = roundAndClip(Math.fround(latent[i] / step), low, high);
    return step;
  });
}

/** How the value of a weight depends on its ratio W / a, as its gradients take it. */
export interface StepSlope {
  /** Ratios whose weight has a gradient: it is that of the value. */
  low: number;
  high: number;
  /** d value / d a below and above them. */
  below: number;
  above: number;
  /** d value / d a between them. */
  between(ratio: number): number;
  /** The gradient of a is divided by sqrt(weights of the matrix * range). */
  range: number;
}

/** Of the latent weight and, alone in `learnt`, of the steps. */
export function stepGradients(
  dy: Float32Array,
  latent: Float32Array,
  shape: MatrixShape,
  steps: Float32Array,
  scales: ScaleGranularity,
  { low, high, below, above, between, range }: StepSlope,
): QuantizerGradients {
  const each = weightsPerScale(scales, shape);
  const gradientScale = 1 / Math.sqrt(latent.length * range);
  const dlatent = new Float32Array(latent.length);
  const dsteps = new Float32Array(steps.length);
  for (let s = 0, i = 0; s < steps.length; s++) {
    const step = positiveStep(steps[s]);
    let sum = 0;
    for (const end = i + each; i < end; i++) {
      const ratio = Math.fround(latent[i] / step);
      if (ratio < low) sum += dy[i] * below;
      else if (ratio > high) sum += dy[i] * above;
      else {
        sum += dy[i] * between(ratio);
        dlatent[i] = dy[i];
      }
    }
    dsteps[s] = sum * gradientScale;
  }
  return { latent: dlatent, learnt: [dsteps] };
}

/** LSQ's slope for codes from `low` to `high`. */
export function lsqSlope({ low, high }: CodeRange): StepSlope {
  const between = (ratio: number) => roundAndClip(ratio, low, high) - ratio;
  return { low, high, below: low, above: high, between, range: high };
}
