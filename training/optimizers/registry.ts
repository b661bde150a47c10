/** The optimizers by `optimizer.type`. A new one is a file beside this one and a word in the list. */
import type { z } from "zod";
import type { CausalLM } from "../../src/model/causal_lm.ts";
import { modelParameters } from "../../src/model/parameters.ts";
import { definitionOf, typedUnion } from "../config/typed_union.ts";
import { adamW } from "./adamw.ts";
import { lion } from "./lion.ts";
import { muon } from "./muon.ts";
import { GroupedOptimizer, type OptimizedParameter, type Optimizer, type OptimizerDefinition } from "./optimizer.ts";

export const optimizers = [adamW, muon, lion] as const;

/** Section `optimizer`: the keys of one of the optimizers. */
export const optimizerSchema = typedUnion("adamw", optimizers);

export type OptimizerOptions = z.output<typeof optimizerSchema>;

/**
 * The optimizer that a configuration asks for, with fresh state.
 * @param maxGradNorm global L2 norm to clip to; 0 for no clipping
 */
export function makeOptimizer(
  options: OptimizerOptions,
  parameters: readonly OptimizedParameter[],
  maxGradNorm: number,
): Optimizer {
  const { groups } = definitionOf(optimizers, options.type) as OptimizerDefinition;
  return new GroupedOptimizer(options.type, groups(options), parameters, maxGradNorm);
}

/** A model's parameters with their kinds, in forward order. */
export function optimizedParameters({ config, parameters }: CausalLM): OptimizedParameter[] {
  return modelParameters(config).map(({ name, kind }) => ({ name, kind, variable: parameters.get(name)! }));
}
