/** The corrections by `quantization.correction.type`. A new one is a file beside this one and a word in the list. */
import type { z } from "zod";
import type { WeightQuantizer } from "../../src/quantizers/weight_quantizer.ts";
import { definitionOf, typedUnion } from "../config/typed_union.ts";
import { cage } from "./cage.ts";
import type { CorrectedRun, Correction, CorrectionDefinition } from "./correction.ts";
import { dqt } from "./dqt.ts";
import { noCorrection } from "./none.ts";
import { winq } from "./winq.ts";

export const corrections = [noCorrection, cage, winq, dqt] as const;

/** `quantization.correction`: the keys of one of the corrections. */
export const correctionSchema = typedUnion("none", corrections);

export type CorrectionOptions = z.output<typeof correctionSchema>;

/** Null: nothing is corrected. */
export function makeCorrection(options: CorrectionOptions, run: CorrectedRun): Correction | null {
  return (definitionOf(corrections, options.type) as CorrectionDefinition).create(options, run);
}

/** Why a model of that quantizer cannot have that correction, in a few words; null if it can. */
export function correctionRefusal({ type }: CorrectionOptions, quantizer: WeightQuantizer | null): string | null {
  return (definitionOf(corrections, type) as CorrectionDefinition).refusal(quantizer);
}
