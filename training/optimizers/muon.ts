/**
 * Muon (Keller Jordan, kellerjordan.github.io/posts/muon): momentum whose update is orthogonalized, so that every
 * direction of a matrix is trained at the same rate. For the linear layers' matrices; AdamW takes the embedding, the
 * norms and what quantizers learn.
 *
 *     m    = momentum * m + (1 - momentum) * g
 *     u    = (1 - momentum) * g + momentum * m        Nesterov: a look ahead; without, u = m
 *     p   -= lr * weight_decay * p
 *     p   -= lr * 0.2 * sqrt(max(rows, columns)) * orthogonalize(u)
 *
 * The scale is Moonlight's (arXiv 2502.16982): an orthogonal matrix has elements of RMS 1 / sqrt(max(rows, columns)),
 * AdamW's updates about 0.2 to 0.4, so with the factor both take the same learning rate and weight decay.
 *
 * An update costs 4 to 6 min(rows, columns) operations per weight and Newton-Schulz step, where a forward and backward
 * pass costs 6 per weight and token: with 5 steps, batches of many thousand tokens hide it, those of a thousand do not.
 *
 * State: m, 4 bytes per parameter of a matrix; AdamW's 8 for the rest. Matrix products of tfjs, no kernel of its own.
 */

import * as tf from "@tensorflow/tfjs";
import { z } from "zod";
import { largest } from "../../src/arrays/large_arrays.ts";
import { orthogonalize } from "../../src/ops/orthogonalize.ts";
import { beta, count, nonnegative, positive } from "../config/numbers.ts";
import { adamWKeys, adamWRule } from "./adamw.ts";
import { cautiousKey, decayed } from "./cautious_weight_decay.ts";
import { defineOptimizer, type ParameterUpdate, type RuleValues, type UpdateRule } from "./optimizer.ts";

export interface MuonOptions {
  momentum: number;
  nesterov: boolean;
  newton_schulz_steps: number;
  cautious_weight_decay: boolean;
}

/** RMS of the elements of an update over the learning rate. */
const updateRms = 0.2;

function updateMatrix(
  { parameter, gradient, state, weightDecay }: ParameterUpdate<"m">,
  { learningRate, gradScale }: RuleValues,
  { momentum, nesterov, newton_schulz_steps, cautious_weight_decay }: MuonOptions,
): void {
  tf.tidy(() => {
    const fresh = tf.mul(gradient, gradScale * (1 - momentum));
    state.m.assign(tf.add(tf.mul(state.m, momentum), fresh));
    const direction = nesterov ? tf.add(fresh, tf.mul(state.m, momentum)) : state.m;
    const scale = learningRate * updateRms * Math.sqrt(largest(parameter.shape));
    const update = tf.mul(orthogonalize(direction as tf.Tensor2D, newton_schulz_steps), scale);
    const kept = decayed(parameter, update, learningRate * weightDecay, cautious_weight_decay);
    parameter.assign(tf.sub(kept, update));
  });
}

function muonRule(options: MuonOptions): UpdateRule<"m"> {
  return {
    kernels: [],
    slots: ["m"],
    update(updates, values) {
      for (const update of updates) updateMatrix(update, values, options);
    },
  };
}

export const muon = defineOptimizer({
  schema: z.strictObject({
    type: z.literal("muon").describe("Muon for the linear layers' matrices, AdamW for the embedding and the norms."),
    learning_rate: positive.default(1.5e-3).describe("Peak learning rate of Muon; of the size that AdamW takes."),
    momentum: beta.default(0.95).describe("Decay of the mean of gradients (Muon)."),
    nesterov: z.boolean().default(true).describe("Update with a look ahead: the gradient joins its mean once more."),
    newton_schulz_steps: count.default(5).describe("Iterations of the orthogonalization."),
    adamw_learning_rate: positive
      .optional()
      .describe("Peak learning rate of AdamW, scheduled alike; by default `learning_rate`."),
    ...adamWKeys,
    weight_decay: nonnegative
      .default(0.1)
      .describe("Decoupled weight decay of matrices and the embedding; norms and quantizers have none."),
    ...cautiousKey,
  }),
  groups: (options) => {
    const adamW = adamWRule(options);
    const adamWScale = (options.adamw_learning_rate ?? options.learning_rate) / options.learning_rate;
    return [
      { kinds: ["matrix"], rule: muonRule(options), learningRateScale: 1, decays: true },
      { kinds: ["embedding"], rule: adamW, learningRateScale: adamWScale, decays: true },
      { rule: adamW, learningRateScale: adamWScale, decays: false },
    ];
  },
});
