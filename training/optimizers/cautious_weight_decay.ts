/**
 * Cautious weight decay (Chen et al., arXiv 2510.12402), for every optimizer: decoupled decay of the elements alone whose
 * update goes towards zero already. With u what the optimizer subtracts, before decay:
 *
 *     p   -= lr * (u + weight_decay * [u * p >= 0] * p)
 *
 * Decay then never pulls against the gradient, so the minima are those of the loss itself. Plain elementwise tfjs ops:
 * the same bits on any number of threads. No state.
 */
import * as tf from "@tensorflow/tfjs";
import { z } from "zod";

export const cautiousKey = {
  cautious_weight_decay: z
    .boolean()
    .default(false)
    .describe("Decay only the elements that the update moves towards zero anyway (arXiv 2510.12402)."),
};

/**
 * What is left of `decay` (learning rate * weight decay * p, so it has p's signs) under an update of the signs of
 * `direction`. Both have the shape of the parameter.
 */
export function cautiousDecay(decay: tf.Tensor, direction: tf.Tensor): tf.Tensor {
  // The sign first: a product of two small numbers could round to zero.
  const agrees = tf.greaterEqual(tf.mul(tf.sign(direction), decay), 0);
  return tf.mul(decay, tf.cast(agrees, "float32"));
}

/** The parameter after decay alone: p * (1 - rate), or cautiously. @param rate learning rate * weight decay */
export function decayed(parameter: tf.Tensor, direction: tf.Tensor, rate: number, isCautious: boolean): tf.Tensor {
  if (!isCautious || rate === 0) return tf.mul(parameter, 1 - rate);
  return tf.sub(parameter, cautiousDecay(tf.mul(parameter, rate), direction));
}
