/** The straight-through variants by `quantization.straight_through.type`. A new one is a file and a word in the list. */
import type { z } from "zod";
import type { LinearQuantization } from "../../src/ops/linear_quantization.ts";
import { definitionOf, typedUnion } from "../config/typed_union.ts";
import { clipped } from "./clipped.ts";
import { identity } from "./identity.ts";
import type { StraightThroughDefinition } from "./straight_through.ts";
import { trust } from "./trust.ts";

const straightThroughs = [identity, clipped, trust] as const;

/** `quantization.straight_through`: the keys of one of the variants. */
export const straightThroughSchema = typedUnion("identity", straightThroughs);

export type StraightThroughOptions = z.output<typeof straightThroughSchema>;

/** `quantization` with that gradient of the weights. */
export function withStraightThrough(
  options: StraightThroughOptions,
  { weights, ...others }: LinearQuantization,
): LinearQuantization {
  const { apply } = definitionOf(straightThroughs, options.type) as StraightThroughDefinition;
  return { weights: weights && apply(options, weights), ...others };
}

/** Why such quantizers cannot have that variant, in a few words; null if they can. */
export function straightThroughRefusal(
  { type }: StraightThroughOptions,
  { weights }: LinearQuantization,
): string | null {
  if (type === identity.schema.shape.type.value) return null;
  if (weights === null) return "needs a model.weight_quantizer";
  return weights.backward === undefined && weights.values === undefined
    ? null
    : `is for quantizers without a gradient of their own, and model.weight_quantizer is ${weights.name}`;
}
