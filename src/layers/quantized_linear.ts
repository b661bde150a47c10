/** The linear product of the layers: fused for BitNet's quantizers, composed for any other. */
import * as tf from "@tensorflow/tfjs";
import { bitLinear, type LinearQuantization } from "../ops/bit_linear.ts";
import { type LinearSurroundings, surroundedBy } from "../ops/linear_surroundings.ts";
import { asRows } from "../ops/tensor_access.ts";
import { AbsmaxInt8, AbsmeanTernary, type Quantizer } from "./quantizers.ts";

export interface QuantizerPair {
  weightQuantizer: Quantizer | null;
  activationQuantizer: Quantizer | null;
}

/**
 * x . W^T for weights [N_i, K] (at most three), outputs concatenated on the last axis: x [..., K] -> [..., sum N_i].
 * `surroundings` are what stands before and after the product in its block.
 */
export function quantizedLinear(
  x: tf.Tensor,
  weights: tf.Tensor2D[],
  quantizers: QuantizerPair,
  surroundings: LinearSurroundings = {},
): tf.Tensor {
  const { weightQuantizer, activationQuantizer } = quantizers;
  const fusedWeights = weightQuantizer === null || weightQuantizer instanceof AbsmeanTernary;
  const fusedActivations = activationQuantizer === null || activationQuantizer instanceof AbsmaxInt8;
  if (fusedWeights && fusedActivations) {
    const quantization: LinearQuantization = {
      weightQuantizer: weightQuantizer ? "absmean_ternary" : "none",
      activationQuantizer: activationQuantizer ? "absmax_int8" : "none",
      scaleDtype: weightQuantizer?.scaleDtype ?? "f32",
    };
    return bitLinear(x, weights, quantization, surroundings);
  }
  return surroundedBy(surroundings, x, (values) => {
    const input = asRows(activationQuantizer ? activationQuantizer.apply(values) : values);
    const quantized = weights.map(
      (weight) => (weightQuantizer ? weightQuantizer.apply(weight) : weight) as tf.Tensor2D,
    );
    const y: tf.Tensor2D = tf.matMul(input, tf.transpose(tf.concat(quantized, 0)));
    return tf.reshape(y, [...values.shape.slice(0, -1), y.shape[1]]);
  });
}
