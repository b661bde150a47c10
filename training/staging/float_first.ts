/**
 * `float_first`: float weights and activations for a fraction of the run, then the quantizers ("Continual Quantization-
 * Aware Pre-Training: When to transition from 16-bit to 1.58-bit pre-training for BitNet language models?",
 * arXiv 2502.11895).
 *
 *     y = x W^T              step <= round(fraction * max_steps)
 *     y = Q(x) Q(W)^T        afterwards
 *
 * The paper finds 10 to 30% of the run best, and no lasting difference between an optimizer that goes on and one that
 * begins anew; the loss leaps at the switch and comes back within some hundred steps. `reset` sets the optimizer's state
 * to 0 and counts its updates from 1 again, as a new optimizer would. Scales that the quantizer learns begin at the switch,
 * from the weights of then.
 */
import { z } from "zod";
import { defineStaging, needsWeightQuantizer, stageSteps } from "./staging.ts";

export const floatFirst = defineStaging({
  schema: z.strictObject({
    type: z.literal("float_first").describe("Float weights and activations, then the quantizers."),
    fraction: z.number().gt(0).lt(1).default(0.2).describe("Of the run in float."),
    optimizer: z
      .enum(["keep", "reset"])
      .default("keep")
      .describe("What happens to the optimizer's state at the switch: it goes on, or begins anew."),
  }),
  dependsOnLength: true,
  refusal: needsWeightQuantizer,
  create({ fraction, optimizer }, { final, maxSteps }) {
    const floatSteps = stageSteps(fraction, maxSteps);
    const float = { name: "float", quantization: { weights: null, activations: null } };
    const quantized = {
      name: "final",
      quantization: final,
      quantizerStart: floatSteps,
      optimizerStart: optimizer === "reset" && floatSteps > 0 ? floatSteps : undefined,
    };
    return { at: (step) => (step <= floatSteps ? float : quantized) };
  },
});
