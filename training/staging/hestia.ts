/**
 * `hestia`: soft ternary codes that harden, so that weights near 0 keep a gradient of their own ("Hestia",
 * arXiv 2601.20745, and the code of hestia2026/Hestia; without its temperatures by Hessian trace).
 *
 *     z = w / s,  s = max(mean |w|, 1e-5)
 *     m(z) = sum_c c p_c,     p = softmax_c(-(z - c)^2 / (t + 1e-6)),  c in {-1, 0, 1}
 *     w~ = w + p (s m(z) - w)
 *     p  = step / (pressure_fraction * max_steps), at most 1
 *     t  = temperature until the last anneal_fraction of the run, in which it falls to 0 as a cosine; at 0, w~ = Q(w)
 *
 *     backward    m'(z) = 2 / (t + 1e-6) * (sum_c c^2 p_c - m^2),  sums over the weights of a scale:
 *                 dw = (1 - p) dw~ + p (dw~ m' + sign(w) / n * sum(dw~ (m - z m')))
 *
 * As in that code the gradient passes through the soft codes and through the scale, which has the granularity of the
 * final quantizer and is the mean magnitude even where that one's is not. The default temperature is the code's: of
 * normal weights, it has the smallest squared error of the soft codes. Activations are quantized throughout.
 */
import { z } from "zod";
import type { WeightQuantizer } from "../../src/quantizers/weight_quantizer.ts";
import { fraction, positive } from "../config/numbers.ts";
import { decayShapes } from "../schedules/schedule.ts";
import { blockMean, needsTernaryScale, scaleBlocks, withValues } from "./staged_weights.ts";
import { defineStaging } from "./staging.ts";

const smallestTemperature = 1e-6;

/** Mean of the soft codes of z, and its slope. */
function softCode(z: number, temperature: number): { mean: number; slope: number } {
  // The three exponents less -z^2 / t and less the largest of the outer two, (-1 + 2 |z|) / t.
  const away = (2 * Math.abs(z)) / temperature;
  const near = Math.exp(-away);
  const far = near * near;
  const sum = 1 + Math.exp(1 / temperature - away) + far;
  const mean = (1 - far) / sum;
  return { mean: z < 0 ? -mean : mean, slope: (2 / temperature) * ((1 + far) / sum - mean * mean) };
}

/** The soft quantizer at that pressure and temperature, with the granularity of `final`. */
export function softTernary(final: WeightQuantizer, pressure: number, temperature: number): WeightQuantizer {
  const t = temperature + smallestTemperature;
  return withValues(final, {
    values(latent, shape) {
      const values = new Float32Array(latent.length);
      const { count, size } = scaleBlocks(final, shape);
      for (let block = 0; block < count; block++) {
        const scale = blockMean(latent, block, size);
        for (let i = block * size; i < (block + 1) * size; i++) {
          const soft = scale * softCode(latent[i] / scale, t).mean;
          values[i] = latent[i] + pressure * (soft - latent[i]);
        }
      }
      return values;
    },
    backward(dy, latent, shape) {
      const gradient = new Float32Array(latent.length);
      const { count, size } = scaleBlocks(final, shape);
      for (let block = 0; block < count; block++) {
        const [begin, end] = [block * size, (block + 1) * size];
        const scale = blockMean(latent, block, size);
        let ofScale = 0;
        for (let i = begin; i < end; i++) {
          const z = latent[i] / scale;
          const { mean, slope } = softCode(z, t);
          ofScale += dy[i] * (mean - z * slope);
          gradient[i] = (1 - pressure + pressure * slope) * dy[i];
        }
        const each = (pressure * ofScale) / size;
        for (let i = begin; i < end; i++) gradient[i] += Math.sign(latent[i]) * each;
      }
      return { latent: gradient, learnt: [] };
    },
  });
}

export const hestia = defineStaging({
  schema: z.strictObject({
    type: z.literal("hestia").describe("Soft ternary codes that harden over the run."),
    temperature: positive.default(0.35088).describe("Of the soft codes at the start."),
    pressure_fraction: fraction
      .default(0.2)
      .describe("Of the run in which the soft codes take the float weights' place."),
    anneal_fraction: z
      .number()
      .gt(0)
      .max(1)
      .default(0.8)
      .describe("Of the run, its last part, in which the temperature falls to 0."),
  }),
  dependsOnLength: true,
  refusal: needsTernaryScale,
  create({ temperature, pressure_fraction, anneal_fraction }, { final, maxSteps }) {
    return {
      at(step) {
        if (step >= maxSteps || final.weights === null) return { name: "final", quantization: final };
        const over = step / maxSteps;
        const pressure = pressure_fraction > 0 ? Math.min(1, over / pressure_fraction) : 1;
        const t = temperature * decayShapes.cosine(Math.max(0, 1 - (1 - over) / anneal_fraction));
        const weights = softTernary(final.weights, pressure, t);
        return { name: "hestia", value: t, quantization: { ...final, weights } };
      },
    };
  },
});
