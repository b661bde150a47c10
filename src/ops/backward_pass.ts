/**
 * How the matrix products of the backward pass round dY, for the pass at hand. Like the tfjs backend it is a setting of
 * the process, not of a model: nothing of it is saved with one.
 *
 * `int8` rounds stochastically. Its random numbers are keyed by seed, step, micro-step and the place of the product in
 * the pass, so a resumed run draws the same ones.
 */
import type { BackwardPrecision } from "../config/backward_precision.ts";
import { mix32 } from "../random/counter_rng.ts";

export interface BackwardPass {
  precision: BackwardPrecision;
  seed: number;
  /** Number of the update, and of the batch within it. */
  step: number;
  microStep: number;
}

/** Attributes of one backward product's kernel. */
export type BackwardRounding = {
  precision: BackwardPrecision;
  /** Unsigned 32-bit key of the product's random numbers. */
  roundingKey: number;
};

let precision: BackwardPrecision = "f32";
let key = 0;
let products = 0;

/** Applies to every gradient taken from now on. Without a call the precision is f32. */
export function beginBackwardPass(pass: BackwardPass): void {
  precision = pass.precision;
  key = mix32(mix32(mix32(pass.seed) + pass.step) + pass.microStep);
  products = 0;
}

/** The rounding of the next product of the pass. */
export function nextBackwardRounding(): BackwardRounding {
  return { precision, roundingKey: mix32(key + products++) >>> 0 };
}
