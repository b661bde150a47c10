/**
 * Settings of the training pass at hand, most of them of its backward half. Like the tfjs backend they belong to the
 * process, not to a model: nothing of them is saved with one.
 *
 * `int8` rounds stochastically. Its random numbers are keyed by seed, step, micro-step and the product's place in the
 * model, so a resumed run draws the same ones, and another op in the model changes nobody else's.
 */
import type { BackwardPrecision } from "../config/backward_precision.ts";
import { mix32 } from "../random/counter_rng.ts";

export interface BackwardPass {
  /** How matrix products round dY. */
  precision: BackwardPrecision;
  seed: number;
  /** Number of the update, and of the batch within it. */
  step: number;
  microStep: number;
  /**
   * Frees each gradient once it has been passed on; tfjs keeps them all until the pass ends, which doubles the memory of
   * training. Only for gradients of a scalar with respect to variables: whoever gives a dy of his own keeps it.
   */
  freesGradients?: boolean;
  /** Each decoder layer keeps its input alone and runs its forward pass again in the backward pass. */
  recomputesLayers?: boolean;
  /** Share of the values that dropout sets to 0; default 0. */
  dropout?: number;
}

/** Attributes of one backward product's kernel. */
export type BackwardRounding = {
  precision: BackwardPrecision;
  /** Unsigned 32-bit key of the product's random numbers. */
  roundingKey: number;
};

const outside = {
  precision: "f32" as BackwardPrecision,
  key: 0,
  freesGradients: false,
  recomputesLayers: false,
  dropout: 0,
};
let current = outside;

/** Takes gradients in `body` under these settings. Outside of it products are float32 and nothing is freed early. */
export function duringBackwardPass<T>(pass: BackwardPass, body: () => T): T {
  const { precision, seed, step, microStep, freesGradients = false, recomputesLayers = false, dropout = 0 } = pass;
  const key = mix32(mix32(mix32(seed) + step) + microStep);
  const before = current;
  current = { precision, key, freesGradients, recomputesLayers, dropout };
  try {
    return body();
  } finally {
    current = before;
  }
}

/** The precision of the pass at hand, for products that do not round stochastically. */
export function backwardPrecision(): BackwardPrecision {
  return current.precision;
}

/** The rounding of a product. `place` is a hash of the layer and the operand that it belongs to. */
export function backwardRounding(place: number): BackwardRounding {
  return { precision: current.precision, roundingKey: mix32(current.key + place) >>> 0 };
}

/** Dropout at `place`, a hash of the place in the model: its rate, and the key of its random numbers. */
export function dropoutOf(place: number): { rate: number; key: number } {
  return { rate: current.dropout, key: mix32(current.key + place) };
}

/** True if the pass at hand has dropout. */
export function hasDropout(): boolean {
  return current.dropout > 0;
}

/** True if an op may dispose of the dy that its gradient function was given. */
export function freesGradients(): boolean {
  return current.freesGradients;
}

/** True if layers keep only their inputs for the backward pass. */
export function recomputesLayers(): boolean {
  return current.recomputesLayers;
}
