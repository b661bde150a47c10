/**
 * Lion (Chen et al., arXiv 2302.06675): the sign of a mean of gradients, so every element moves by the learning rate.
 *
 *     p   -= lr * weight_decay * p                    matrices and the embedding; not the norms' gains, nor what quantizers learn
 *     p   -= lr * sign(beta1 * m + (1 - beta1) * g)
 *     m    = beta2 * m + (1 - beta2) * g
 *
 * The paper takes a learning rate 3 to 10 times smaller than AdamW's, and a weight decay as many times larger: their
 * product is what shrinks the weights.
 *
 * What quantizers learn is left to AdamW: a step of one size for all would be most of a small scale.
 *
 * State: m, 4 bytes per parameter, half of AdamW's. Plain tfjs ops, no kernel of its own.
 */
import * as tf from "@tensorflow/tfjs";
import { z } from "zod";
import { beta, nonnegative, positive } from "../config/numbers.ts";
import { adamWKeys, adamWRule } from "./adamw.ts";
import { cautiousKey, decayed } from "./cautious_weight_decay.ts";
import { defineOptimizer, type UpdateRule } from "./optimizer.ts";

export interface LionOptions {
  beta1: number;
  beta2: number;
  cautious_weight_decay: boolean;
}

function lionRule({ beta1, beta2, cautious_weight_decay }: LionOptions): UpdateRule<"m"> {
  return {
    kernels: [],
    slots: ["m"],
    update(updates, { learningRate, gradScale }) {
      for (const { parameter, gradient, state, weightDecay } of updates) {
        tf.tidy(() => {
          const g = tf.mul(gradient, gradScale);
          const direction = tf.sign(tf.add(tf.mul(state.m, beta1), tf.mul(g, 1 - beta1)));
          const kept = decayed(parameter, direction, learningRate * weightDecay, cautious_weight_decay);
          parameter.assign(tf.sub(kept, tf.mul(direction, learningRate)));
          state.m.assign(tf.add(tf.mul(state.m, beta2), tf.mul(g, 1 - beta2)));
        });
      }
    },
  };
}

export const lion = defineOptimizer({
  schema: z.strictObject({
    type: z.literal("lion").describe("Lion: the sign of a mean of gradients."),
    learning_rate: positive.default(3e-4).describe("Peak learning rate: 3 to 10 times less than AdamW's."),
    beta1: beta.default(0.9).describe("Weight of the mean in the update's direction."),
    beta2: beta.default(0.99).describe("Decay of the mean of gradients."),
    weight_decay: nonnegative
      .default(0.5)
      .describe(
        "Decoupled weight decay of matrices and the embedding: 3 to 10 times AdamW's; norms and quantizers have none.",
      ),
    ...cautiousKey,
  }),
  groups: (options) => {
    const rule = lionRule(options);
    const adamW = adamWRule({ ...z.object(adamWKeys).parse({}), cautious_weight_decay: false });
    return [
      { kinds: ["matrix", "embedding"], rule, learningRateScale: 1, decays: true },
      { kinds: ["quantizer"], rule: adamW, learningRateScale: 1, decays: false },
      { rule, learningRateScale: 1, decays: false },
    ];
  },
});
