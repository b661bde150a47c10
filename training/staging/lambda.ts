/**
 * `lambda`: quantization comes in little by little, in weights and activations ("Fine-tuning LLMs to 1.58bit: extreme
 * quantization made easy", Hugging Face, 2024, huggingface.co/blog/1_58_llm_extreme_quantization).
 *
 *     x~ = x + l (Q(x) - x)          u = step / steps of the warm-up
 *     l  = u                         linear
 *          1 - (1 - u)^k             exponential
 *          1 / (1 + exp(-k (u - 1/2)))   sigmoid
 *     backward    dx = dx~, if Q passes gradients straight through: x + l (Q(x) - x).detach() of that page;
 *                 else (1 - l) dx~ + l times what Q makes of dx~
 *
 * After the warm-up l is 1: the quantizers themselves. That page finds the linear one best in tuning an 8 B model, and
 * nothing gained from scratch at 135 M.
 */
import { z } from "zod";
import type { LinearQuantization } from "../../src/ops/linear_quantization.ts";
import { positive } from "../config/numbers.ts";
import { mixture } from "./staged_weights.ts";
import { defineStaging, needsWeightQuantizer, stageSteps } from "./staging.ts";

const shapes = {
  linear: (u: number) => u,
  exponential: (u: number, k: number) => 1 - (1 - u) ** k,
  sigmoid: (u: number, k: number) => 1 / (1 + Math.exp(-k * (u - 0.5))),
};
/** k of the two curved shapes. */
const steepness = { linear: 1, exponential: 4, sigmoid: 20 };

export const lambda = defineStaging({
  schema: z.strictObject({
    type: z.literal("lambda").describe("x + l (Q(x) - x) of weights and activations, l rising to 1."),
    fraction: z.number().gt(0).lt(1).default(0.2).describe("Of the run in which l rises."),
    shape: z.enum(["linear", "exponential", "sigmoid"]).default("linear").describe("How l rises."),
    steepness: positive
      .optional()
      .describe("k of the shapes `exponential` (by default 4) and `sigmoid` (by default 20)."),
  }),
  dependsOnLength: true,
  refusal: needsWeightQuantizer,
  create({ fraction, shape, steepness: k = steepness[shape] }, { final, maxSteps }) {
    const steps = stageSteps(fraction, maxSteps);
    return {
      at(step) {
        if (step > steps) return { name: "final", quantization: final };
        const l = shapes[shape](step / steps, k);
        return { name: "lambda", value: l, quantization: l === 1 ? final : partly(final, l) };
      },
    };
  },
});

function partly({ weights, activations }: LinearQuantization, l: number): LinearQuantization {
  return {
    weights: weights && mixture(weights, l, 1 - l),
    activations,
    activationShare: l,
  };
}
