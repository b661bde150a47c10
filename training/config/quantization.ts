/** Section `quantization` of a recipe: how the quantizers of `model` come in. Nothing of it is in a model's config.json. */
import { z } from "zod";
import type { LinearQuantization } from "../../src/ops/linear_quantization.ts";
import { stagingRefusal, stagingSchema } from "../staging/registry.ts";

export const quantizationSchema = z
  .strictObject({
    staging: stagingSchema.prefault({}).describe("What stands in for the quantizers on the way to them."),
  })
  .describe("How training comes to the quantizers of the model; files and engine know the final ones only.");

export type QuantizationOptions = z.output<typeof quantizationSchema>;

/** The first of its keys that does not go with the model's quantizers, and why; null if all do. */
export function quantizationProblem(
  { staging }: QuantizationOptions,
  final: LinearQuantization,
): { key: string; reason: string } | null {
  const reason = stagingRefusal(staging, final);
  return reason === null ? null : { key: "quantization.staging", reason: `${staging.type} ${reason}` };
}
