/** Section `quantization` of a recipe: how the quantizers of `model` come in. Nothing of it is in a model's config.json. */
import { z } from "zod";
import type { LinearQuantization } from "../../src/ops/linear_quantization.ts";
import { correctionRefusal, correctionSchema, corrections } from "../corrections/registry.ts";
import { stagingRefusal, stagingSchema, stagings } from "../staging/registry.ts";
import { straightThroughRefusal, straightThroughSchema } from "../straight_through/registry.ts";
import { definitionOf } from "./typed_union.ts";

export const quantizationSchema = z
  .strictObject({
    staging: stagingSchema.prefault({}).describe("What stands in for the quantizers on the way to them."),
    straight_through: straightThroughSchema
      .prefault({})
      .describe("How the gradient of the quantized weights passes to the latent ones."),
    correction: correctionSchema.prefault({}).describe("What is done to the latent weights after each update."),
  })
  .describe("How training comes to the quantizers of the model; files and engine know the final ones only.");

export type QuantizationOptions = z.output<typeof quantizationSchema>;

/** Lines about keys that do not go with the model's quantizers. */
export function quantizationProblems(
  { staging, straight_through, correction }: QuantizationOptions,
  final: LinearQuantization,
): { key: string; text: string }[] {
  const refusals = {
    staging: [staging, stagingRefusal(staging, final)],
    straight_through: [straight_through, straightThroughRefusal(straight_through, final)],
    correction: [
      correction,
      correctionRefusal(correction, final.weights) ??
        (correction.type === "dqt" && staging.type !== "none"
          ? "has no latent weights for quantization.staging"
          : null),
    ],
  } as const;
  return Object.entries(refusals).flatMap(([name, [{ type }, reason]]) => {
    const key = `quantization.${name}`;
    return reason === null ? [] : [{ key, text: `${key}: ${type} ${reason}` }];
  });
}

/** Its keys whose work at a step changes with the length of the run: `quantization.staging`. */
export function keysOfLength({ staging, correction }: QuantizationOptions): string[] {
  return [
    ...(definitionOf(stagings, staging.type).dependsOnLength ? ["quantization.staging"] : []),
    ...(definitionOf(corrections, correction.type).dependsOnLength ? ["quantization.correction"] : []),
  ];
}
