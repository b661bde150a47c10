/**
 * AdamW (Loshchilov and Hutter, arXiv 1711.05101), the formulas of torch.optim.AdamW, t counting updates from 1:
 *
 *     p   -= lr * weight_decay * p                    matrices and the embedding; not the norms' gains, nor what quantizers learn
 *     m    = beta1 * m + (1 - beta1) * g
 *     v    = beta2 * v + (1 - beta2) * g^2
 *     p   -= lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
 *
 * State: m and v, 8 bytes per parameter. One fused kernel updates all parameters.
 */
import * as tf from "@tensorflow/tfjs";
import { z } from "zod";
import { adamWStep } from "../../src/ops/adamw_step.ts";
import { beta, nonnegative, positive } from "../config/numbers.ts";
import { cautiousDecay, cautiousKey } from "./cautious_weight_decay.ts";
import { defineOptimizer, type ParameterUpdate, type RuleValues, type UpdateRule } from "./optimizer.ts";

export interface AdamWOptions {
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Default: false. */
  cautious_weight_decay?: boolean;
}

type Moments = "m" | "v";

/** The kernel's update without decay, then the decay that agrees with it. The sign of an update is that of its mean m. */
function updateCautiously(
  updates: readonly ParameterUpdate<Moments>[],
  values: RuleValues,
  update: (updates: readonly ParameterUpdate<Moments>[]) => void,
): void {
  const decays = updates.map(({ parameter, weightDecay }) =>
    weightDecay === 0 ? null : tf.mul(parameter, values.learningRate * weightDecay),
  );
  update(updates.map((each) => ({ ...each, weightDecay: 0 })));
  for (const [i, decay] of decays.entries()) {
    if (decay === null) continue;
    const { parameter, state } = updates[i];
    tf.tidy(() => parameter.assign(tf.sub(parameter, cautiousDecay(decay, state.m))));
    decay.dispose();
  }
}

/** The update alone, for optimizers that leave some parameters to AdamW. */
export function adamWRule(options: AdamWOptions): UpdateRule<Moments> {
  return {
    kernels: ["AdamWStep"],
    slots: ["m", "v"],
    update(updates, values) {
      const { beta1, beta2, epsilon, cautious_weight_decay } = options;
      const update = (parameters: readonly ParameterUpdate<Moments>[]) =>
        adamWStep(
          parameters.map(({ parameter, gradient, state, weightDecay }) => {
            return { param: parameter, grad: gradient, ...state, weightDecay };
          }),
          { ...values, beta1, beta2, epsilon },
        );
      if (cautious_weight_decay) updateCautiously(updates, values, update);
      else update(updates);
    },
  };
}

/** AdamW's own keys, with the defaults of ternary training. */
export const adamWKeys = {
  beta1: beta.default(0.9).describe("Decay of the mean of gradients."),
  beta2: beta.default(0.95).describe("Decay of the mean of squared gradients."),
  epsilon: positive.default(1e-8).describe("Added to the root of the squared gradients' mean."),
};

export const adamW = defineOptimizer({
  schema: z.strictObject({
    type: z.literal("adamw").describe("AdamW."),
    learning_rate: positive
      .default(1.5e-3)
      .describe("Peak learning rate. Ternary models take 5 to 8 times that of float ones."),
    ...adamWKeys,
    weight_decay: nonnegative
      .default(0.1)
      .describe("Decoupled weight decay of matrices and the embedding; norms and quantizers have none."),
    ...cautiousKey,
  }),
  groups: (options) => {
    const rule = adamWRule(options);
    return [
      { kinds: ["matrix", "embedding"], rule, learningRateScale: 1, decays: true },
      { rule, learningRateScale: 1, decays: false },
    ];
  },
});
