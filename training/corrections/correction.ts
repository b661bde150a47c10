/**
 * Corrections of the latent weights towards their grid, after the optimizer's update. They act on the matrices that the
 * weight quantizer quantizes, over typed arrays and element by element: the same bits on any number of threads. They are
 * functions of the step, the seed and the weights, and keep nothing.
 */
import type { z } from "zod";
import type { Learnt, MatrixShape, WeightQuantizer } from "../../src/quantizers/weight_quantizer.ts";

/** A matrix just after its update. */
export interface UpdatedMatrix {
  name: string;
  shape: MatrixShape;
  latent: Float32Array;
  /** Its values before the update. */
  before: Float32Array;
  /** What the quantizer has learnt for it. */
  learnt: Learnt;
}

export interface Correction {
  /** The first weights of a run, given the initial ones. Left out: those. */
  start?(latent: Float32Array, shape: MatrixShape, learnt: Learnt): Float32Array;
  /** What is added to a matrix of `size` weights while the gradients of update `step` are taken. Left out: nothing. */
  noise?(step: number, name: string, size: number): Float32Array;
  /** New weights of each matrix after update `step`; null where they stay. */
  after(step: number, learningRate: number): ((matrix: UpdatedMatrix) => Float32Array) | null;
}

/** What a correction is made for. */
export interface CorrectedRun {
  /** Of the final grid. */
  quantizer: WeightQuantizer;
  /** Length of the run. */
  maxSteps: number;
  seed: number;
}

/** What the file of a correction exports. */
export interface CorrectionDefinition<Schema extends z.ZodObject = z.ZodObject> {
  /** The keys of `quantization.correction` for this `type`. */
  schema: Schema;
  /** True if what it does after a step changes with the length of the run. */
  dependsOnLength: boolean;
  /** Why a model of that quantizer cannot have it, in a few words; null if it can. */
  refusal(quantizer: WeightQuantizer | null): string | null;
  /** Null: nothing is corrected. */
  create(options: z.output<Schema>, run: CorrectedRun): Correction | null;
}

/** Lets TypeScript derive the options' type from the schema. */
export function defineCorrection<Schema extends z.ZodObject>(
  definition: CorrectionDefinition<Schema>,
): CorrectionDefinition<Schema> {
  return definition;
}

export function needsQuantizer(quantizer: WeightQuantizer | null): string | null {
  return quantizer === null ? "needs a model.weight_quantizer" : null;
}
