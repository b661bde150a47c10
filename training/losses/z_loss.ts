/**
 * z-loss: keeps the logits' normalizer near 1, so that logits do not drift away together (Mesh TensorFlow; PaLM,
 * arXiv 2204.02311, section 5, with 1e-4; Wortsman et al., arXiv 2309.14322, for small models at high learning rates).
 *
 *     f = logsumexp(l)^2         df/dl = 2 logsumexp(l) softmax(l)
 */
import * as tf from "@tensorflow/tfjs";
import { float32Values } from "../../src/ops/tensor_access.ts";
import { nonnegative } from "../config/numbers.ts";
import type { LossTerm } from "./loss_term.ts";

export const zLossSchema = nonnegative
  .default(0)
  .describe("Factor of the mean of logsumexp(logits)^2, which keeps logits from drifting; 1e-4 is usual, 0 is none.");

export function zLossTerm(weight: number): LossTerm {
  return {
    name: "z",
    weight,
    evaluate({ logSumExp, softmax, counted }) {
      const z = tf.mul(logSumExp, counted);
      return { sum: float32Values(tf.sum(tf.square(z)))[0], dLogits: tf.mul(softmax, tf.mul(z, 2)) };
    },
  };
}
