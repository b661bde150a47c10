/** The stagings by `quantization.staging.type`. A new one is a file beside this one and a word in the list. */
import type { z } from "zod";
import type { LinearQuantization } from "../../src/ops/linear_quantization.ts";
import { definitionOf, typedUnion } from "../config/typed_union.ts";
import { arenas } from "./arenas.ts";
import { floatFirst } from "./float_first.ts";
import { hestia } from "./hestia.ts";
import { lambda } from "./lambda.ts";
import { levelStaging } from "./levels.ts";
import { noStaging } from "./none.ts";
import type { StagedRun, Staging, StagingDefinition } from "./staging.ts";

export const stagings = [noStaging, floatFirst, lambda, levelStaging, hestia, arenas] as const;

/** `quantization.staging`: the keys of one of the stagings. */
export const stagingSchema = typedUnion("none", stagings);

export type StagingOptions = z.output<typeof stagingSchema>;

export function makeStaging(options: StagingOptions, run: StagedRun): Staging {
  return (definitionOf(stagings, options.type) as StagingDefinition).create(options, run);
}

/** Why a run that ends in these quantizers cannot have that staging, in a few words; null if it can. */
export function stagingRefusal({ type }: StagingOptions, final: LinearQuantization): string | null {
  return (definitionOf(stagings, type) as StagingDefinition).refusal(final);
}
