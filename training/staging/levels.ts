/**
 * `levels`: nine levels, then three ("Stepping Down to Ternary", S. Owen, 2026-10: conversion of small float models).
 *
 *     q  = clip(round_half_even(4 w / s), -4, 4) / 4,    w~ = s q        for a fraction of the run
 *     w~ = Q(w)                                                         afterwards
 *     backward    dw = dw~, or what Q makes of it
 *
 * s are the scales that the final quantizer stores: of the matrix, its rows or groups. Activations are quantized in both.
 */
import { z } from "zod";
import { roundAndClip } from "../../src/quant/round_half_even.ts";
import type { WeightQuantizer } from "../../src/quantizers/weight_quantizer.ts";
import { needsTernaryScale, scaleBlocks } from "./staged_weights.ts";
import { defineStaging, stageSteps } from "./staging.ts";

/** Levels above 0. */
const positiveLevels = 4;
const levels = Array.from({ length: 2 * positiveLevels + 1 }, (_, i) => i / positiveLevels - 1);

/** The grid of nine levels with the scales of `final`. */
export function nineLevels(final: WeightQuantizer): WeightQuantizer {
  return {
    ...final,
    levels,
    product: "values",
    fused: null,
    quantize(latent, shape, learnt) {
      const { scales } = final.quantize(latent, shape, learnt);
      const codes = new Int8Array(latent.length);
      const { size } = scaleBlocks(final, shape);
      for (const [block, scale] of scales.entries()) {
        const inverse = Math.fround(positiveLevels / scale);
        for (let i = block * size; i < (block + 1) * size; i++) {
          codes[i] = roundAndClip(Math.fround(latent[i] * inverse), -positiveLevels, positiveLevels);
        }
      }
      return { codes, scales };
    },
  };
}

export const levelStaging = defineStaging({
  schema: z.strictObject({
    type: z.literal("levels").describe("Nine levels (0, +-1/4, +-1/2, +-3/4, +-1), then the ternary ones."),
    fraction: z.number().gt(0).lt(1).default(0.25).describe("Of the run with nine levels."),
  }),
  dependsOnLength: true,
  refusal: needsTernaryScale,
  create({ fraction }, { final, maxSteps }) {
    const steps = stageSteps(fraction, maxSteps);
    const fine = {
      name: "nine_levels",
      quantization: { ...final, weights: final.weights && nineLevels(final.weights) },
    };
    const last = { name: "final", quantization: final };
    return { at: (step) => (step <= steps ? fine : last) };
  },
});
