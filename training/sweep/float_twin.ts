/**
 * How far a model is from its float twin (same seed, same data, weights and activations not quantized), beside the loss: the
 * mean of KL(twin || model) over the validation tokens, exact over the whole vocabulary, and how often both have the same
 * likeliest token. Two models of equal loss may err at different places; these say whether they do.
 */
import * as tf from "@tensorflow/tfjs";
import type { CausalLM } from "../../src/model/causal_lm.ts";
import type { TokenBatch } from "../train_step.ts";

/** Contents of float_twin.json. */
export interface MeasuredTwin extends TwinDistance {
  /** Folder of the twin's run. */
  twin: string;
}

export interface TwinDistance {
  /** Nats per token. */
  kl: number;
  /** Share of the tokens, from 0 to 1. */
  top1Agreement: number;
  tokens: number;
}

/** Logits that are held of a model at a time: 64 MB. */
const mostLogits = 2 ** 24;

/**
 * @param batches every target that is not negative counts
 * @param held logits of a model at a time; the result does not depend on it
 */
export async function twinDistance(
  model: CausalLM,
  twin: CausalLM,
  batches: AsyncIterable<TokenBatch> | Iterable<TokenBatch>,
  held = mostLogits,
): Promise<TwinDistance> {
  let [kl, agreed, tokens] = [0, 0, 0];
  const { vocabSize } = twin.config;
  for await (const { ids, targets, sequenceLength } of batches) {
    const sequences = Math.max(1, Math.floor(held / (vocabSize * sequenceLength)));
    for (let from = 0; from < ids.length; from += sequences * sequenceLength) {
      const part = ids.slice(from, from + sequences * sequenceLength);
      const [p, q] = [twin, model].map((each) => logitsOf(each, part, sequenceLength));
      for (let i = 0; i < part.length; i++) {
        if (targets[from + i] < 0) continue;
        const at = [i * vocabSize, (i + 1) * vocabSize] as const;
        const distance = rowDistance(p.subarray(...at), q.subarray(...at));
        kl += distance.kl;
        agreed += Number(distance.agree);
        tokens++;
      }
    }
  }
  return { kl: kl / tokens, top1Agreement: agreed / tokens, tokens };
}

function logitsOf(model: CausalLM, ids: Int32Array, sequenceLength: number): Float32Array {
  return tf.tidy(() => {
    const rows = tf.tensor2d(ids, [ids.length / sequenceLength, sequenceLength], "int32");
    return model.logits(rows).dataSync() as Float32Array;
  });
}

function largestOf(logits: Float32Array): { index: number; value: number } {
  let index = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[index]) index = i;
  return { index, value: logits[index] };
}

/** KL(softmax(p) || softmax(q)) in float64, and whether both are largest at one place. */
export function rowDistance(p: Float32Array, q: Float32Array): { kl: number; agree: boolean } {
  const [first, second] = [largestOf(p), largestOf(q)];
  let [sumP, sumQ, weighted] = [0, 0, 0];
  for (let i = 0; i < p.length; i++) {
    const [a, b] = [p[i] - first.value, q[i] - second.value];
    const e = Math.exp(a);
    sumP += e;
    sumQ += Math.exp(b);
    weighted += e * (a - b);
  }
  // Rounding may leave a little below 0.
  const kl = Math.max(0, weighted / sumP - Math.log(sumP) + Math.log(sumQ));
  return { kl, agree: first.index === second.index };
}
