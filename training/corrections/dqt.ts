/**
 * `dqt`: no latent weights: after every update the weights are rounded stochastically onto the grid they were on
 * ("Direct Quantized Training of Language Models with Stochastic Rounding", arXiv 2412.04787, and its code).
 *
 *     w = Q(w)                                                       before the first update
 *     s = max |w before the update|,   v = clip(w / s, -1, 1)        for the weights of a scale
 *     w = s (floor(v) + [u < v - floor(v)])                          after each update, u uniform in [0, 1)
 *
 * The mean of the rounded weights is that of the updated ones. u is keyed by seed, step, parameter and element. Weights
 * of a scale that are all 0 take the mean magnitude of the updated ones as s.
 *
 * The forward pass quantizes these weights again: a quantizer whose scale is the median magnitude finds them as they are;
 * by the mean one finds their codes, and a scale that is smaller by the fraction of zeros, which the norms make up for.
 */
import { z } from "zod";
import { type MatrixShape, scaleCount, weightValues } from "../../src/quantizers/weight_quantizer.ts";
import { hashName, mix32 } from "../../src/random/counter_rng.ts";
import { blockMean, needsTernaryScale } from "../staging/staged_weights.ts";
import { defineCorrection } from "./correction.ts";

/** Uniform in [0, 1), a float32, of an element under a key. */
function uniform(key: number, index: number): number {
  return (mix32(key ^ Math.imul(index, 0x9e3779b1)) >>> 8) * 2 ** -24;
}

/**
 * Updated weights on the grid of those before.
 * @param size weights that share a scale
 * @param draw uniform number in [0, 1) of an element
 */
export function roundOntoGrid(
  latent: Float32Array,
  before: Float32Array,
  size: number,
  draw: (index: number) => number,
): Float32Array {
  const rounded = new Float32Array(latent.length);
  for (let begin = 0; begin < latent.length; begin += size) {
    let scale = 0;
    for (let i = begin; i < begin + size; i++) scale = Math.max(scale, Math.abs(before[i]));
    if (scale === 0) scale = blockMean(latent, begin / size, size);
    for (let i = begin; i < begin + size; i++) {
      const v = Math.min(Math.max(latent[i] / scale, -1), 1);
      const below = Math.floor(v);
      rounded[i] = scale * (below + (draw(i) < v - below ? 1 : 0));
    }
  }
  return rounded;
}

export const dqt = defineCorrection({
  schema: z.strictObject({
    type: z.literal("dqt").describe("No latent weights: each update is rounded stochastically onto the grid."),
  }),
  dependsOnLength: false,
  refusal: (weights) => needsTernaryScale({ weights, activations: null }),
  create(_options, { quantizer, seed }) {
    const sizeOf = (shape: MatrixShape) => (shape.rows * shape.cols) / scaleCount(quantizer.scales, shape);
    return {
      start: (latent, shape, learnt) => weightValues(quantizer, latent, shape, learnt),
      after(step) {
        const ofStep = mix32(mix32(seed) + step);
        return ({ name, latent, before, shape }) => {
          const key = mix32(ofStep + hashName(name));
          return roundOntoGrid(latent, before, sizeOf(shape), (i) => uniform(key, i));
        };
      },
    };
  },
});
