/** The linear product of the layers, in one canonical order: a quantizer that is not of the list gives values to it. */
import type * as tf from "@tensorflow/tfjs";
import { bitLinear } from "../ops/bit_linear.ts";
import { type LinearSurroundings, surroundedBy } from "../ops/linear_surroundings.ts";
import type { LearntTensors } from "../ops/quantized_weights.ts";
import { ListedActivationQuantizer, ListedWeightQuantizer, type Quantizer } from "./quantizers.ts";

export interface QuantizerPair {
  weightQuantizer: Quantizer | null;
  activationQuantizer: Quantizer | null;
  /** What a listed weight quantizer has learnt for each weight; left out where it learns nothing. */
  learnt?: readonly LearntTensors[];
}

/**
 * x . W^T for weights [N_i, K] (at most three), outputs concatenated on the last axis: x [..., K] -> [..., sum N_i].
 * `surroundings` are what stands before and after the product in its block, `place` a hash of its name in the model.
 */
export function quantizedLinear(
  x: tf.Tensor,
  weights: tf.Tensor2D[],
  quantizers: QuantizerPair,
  surroundings: LinearSurroundings = {},
  place = 0,
): tf.Tensor {
  const { weightQuantizer, activationQuantizer, learnt } = quantizers;
  const listed = weightQuantizer instanceof ListedWeightQuantizer;
  const operands =
    weightQuantizer === null || listed
      ? weights
      : weights.map((weight) => weightQuantizer.apply(weight) as tf.Tensor2D);
  const values = { weights: listed ? weightQuantizer.value : null, learnt };
  if (activationQuantizer === null || activationQuantizer instanceof ListedActivationQuantizer) {
    const activations = activationQuantizer?.value ?? null;
    return bitLinear(x, operands, { ...values, activations }, surroundings, place);
  }
  return surroundedBy(surroundings, x, (input) =>
    bitLinear(activationQuantizer.apply(input), operands, { ...values, activations: null }, {}, place),
  );
}
