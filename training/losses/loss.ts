/**
 * The loss that a step descends: cross-entropy of the next token, and the terms of section `loss`.
 *
 *     L = cross_entropy CE + z_loss mean(logsumexp^2) + distillation.weight T^2 KL(teacher || student)
 *
 * each a mean over the counted tokens of a batch, and L a mean over the batches of the update; with `reduction: sum`, sums
 * over all tokens of the update in both places (2B4T sums in tuning, arXiv 2504.12285). A sum has gradients as many times
 * larger as there are tokens: `max_grad_norm` and `grad_norm` then mean the sum's. What metrics call a loss is always nats
 * per token.
 *
 * Cross-entropy alone never leaves the fused head; any other term goes through the logits, a chunk of tokens at a time.
 */
import * as tf from "@tensorflow/tfjs";
import type { CausalLM } from "../../src/model/causal_lm.ts";
import type { LogitsChunk } from "../../src/ops/logits_loss.ts";
import { crossEntropyTerm } from "./cross_entropy.ts";
import type { LossBatch, LossTerm } from "./loss_term.ts";
import { isPlain, type LossOptions, lossTerms } from "./registry.ts";

/** Means over the tokens of a batch, or over an update: what metrics tell. */
export interface LossValues {
  /** Cross-entropy, nats per token. */
  loss: number;
  /** Of the other terms, by name, without their factors. */
  terms: Readonly<Record<string, number>>;
}

/** A loss in the making: its value is differentiated, then its parts are known. */
export interface BatchLoss {
  value: tf.Scalar;
  /** @param value of the scalar */
  parts(value: number): LossValues;
}

function countedTokens(targets: Int32Array): number {
  let count = 0;
  for (let i = 0; i < targets.length; i++) if (targets[i] >= 0) count++;
  return count;
}

/** Loss of one batch, with `ids` and `targets` int32 [B, T]. To be called where gradients are taken. */
export function batchLoss(
  model: Pick<CausalLM, "loss" | "lossOfLogits">,
  ids: tf.Tensor2D,
  targets: tf.Tensor2D,
  batch: LossBatch,
  options: LossOptions,
): BatchLoss {
  const count = countedTokens(batch.targets);
  const factor = options.reduction === "sum" ? count : 1;
  if (isPlain(options)) {
    const scale = factor * options.cross_entropy;
    const loss = model.loss(ids, targets);
    return {
      value: scale === 1 ? loss : tf.mul(loss, scale),
      parts: (value) => ({ loss: value / scale, terms: {} }),
    };
  }
  const all = [crossEntropyTerm(options.cross_entropy), ...lossTerms(options, batch)];
  const sums = new Map<string, number>();
  const value = model.lossOfLogits(ids, targets, (chunk) => evaluateTerms(all, chunk, factor / count, sums));
  return {
    value,
    parts: () => {
      const { cross_entropy, ...others } = Object.fromEntries(Array.from(sums, ([name, sum]) => [name, sum / count]));
      return { loss: cross_entropy, terms: others };
    },
  };
}

/** The terms' sum times `factor`; adds each to `sums`. */
function evaluateTerms(
  terms: readonly LossTerm[],
  chunk: LogitsChunk,
  factor: number,
  sums: Map<string, number>,
): { value: number; dLogits: tf.Tensor2D } {
  let value = 0;
  const gradients = terms.map((term) => {
    const { sum, dLogits } = term.evaluate(chunk);
    sums.set(term.name, (sums.get(term.name) ?? 0) + sum);
    value += factor * term.weight * sum;
    return tf.mul(dLogits, factor * term.weight) as tf.Tensor2D;
  });
  return { value, dLogits: gradients.length === 1 ? gradients[0] : tf.addN(gradients) };
}
