/**
 * Cross-entropy of the next token, in nats, as a term beside others: where it is alone, the fused head computes it.
 *
 *     f = logsumexp(l) - l[target]         df/dl = softmax(l) - onehot(target)
 */
import * as tf from "@tensorflow/tfjs";
import { float32Values } from "../../src/ops/tensor_access.ts";
import type { LossTerm } from "./loss_term.ts";

export function crossEntropyTerm(weight: number): LossTerm {
  return {
    name: "cross_entropy",
    weight,
    evaluate({ logits, logSumExp, softmax, targets, counted }) {
      const present = tf.maximum(targets, tf.scalar(0, "int32"));
      const oneHot = tf.mul(tf.cast(tf.oneHot(present, logits.shape[1]), "float32"), counted);
      const logProbs = tf.sum(tf.mul(oneHot, tf.sub(logits, logSumExp)));
      return { sum: -float32Values(logProbs)[0], dLogits: tf.sub(tf.mul(softmax, counted), oneHot) };
    },
  };
}
