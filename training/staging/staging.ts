/**
 * Stages of a run: what stands in for the final quantizers on the way. A stage is a pure function of the step, the
 * run's length and the configuration, so that a resumed run goes through the same ones. The last step of a run is always
 * on the final grid: checkpoints, evaluation and export know no other.
 */
import type { z } from "zod";
import type { BackwardPrecision } from "../../src/config/backward_precision.ts";
import type { LinearQuantization } from "../../src/ops/linear_quantization.ts";

export interface Stage {
  /** As metrics name it: `float`, `lambda`, and `final` for the grid of the configuration; missing in a run without stages. */
  name?: string;
  /** The stage's own number, where it has one that changes from step to step. */
  value?: number;
  quantization: LinearQuantization;
  /** Updates made before the quantizers came in, when what they learn begins; missing: they were there from the first. */
  quantizerStart?: number;
  /** Updates made before the optimizer began anew; missing: it never did. */
  optimizerStart?: number;
}

export interface Staging {
  /** Of update number `step`, from 1. From the planned length on, the final grid. */
  at(step: number): Stage;
}

/** What a staging is made for. */
export interface StagedRun {
  /** What the forward pass uses at the end. */
  final: LinearQuantization;
  /** Length of the run. */
  maxSteps: number;
}

/** What the file of a staging exports. */
export interface StagingDefinition<Schema extends z.ZodObject = z.ZodObject> {
  /** The keys of `quantization.staging` for this `type`. */
  schema: Schema;
  /** True if the stage of a step changes with the length of the run. */
  dependsOnLength: boolean;
  /** Why a run of such quantizers cannot have it, in a few words; null if it can. */
  refusal(final: LinearQuantization): string | null;
  create(options: z.output<Schema>, run: StagedRun): Staging;
}

/** Lets TypeScript derive the options' type from the schema. */
export function defineStaging<Schema extends z.ZodObject>(
  definition: StagingDefinition<Schema>,
): StagingDefinition<Schema> {
  return definition;
}

export function needsWeightQuantizer({ weights }: LinearQuantization): string | null {
  return weights === null ? "needs a model.weight_quantizer" : null;
}

/** Steps of a stage that takes this fraction of the run; never all of them. */
export function stageSteps(fraction: number, maxSteps: number): number {
  return Math.min(Math.round(fraction * maxSteps), maxSteps - 1);
}

/** Precision of the backward products in a stage: int8 has none where the product is not one of integers. */
export function stagePrecision(precision: BackwardPrecision, { weights, activations }: LinearQuantization) {
  const isInteger = weights !== null && weights.product !== "values" && activations !== null;
  return precision === "int8" && !isInteger ? "f32" : precision;
}
