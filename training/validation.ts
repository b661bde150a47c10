/** Validation loss: nats per token, and bits per byte of text, which vocabularies cannot flatter. */
import * as tf from "@tensorflow/tfjs";
import type { CausalLM } from "../src/model/causal_lm.ts";
import type { Batch } from "./train_step.ts";

export interface ValidationResult {
  /** Mean of -log P(target), nats per token. */
  loss: number;
  /** Sum of -log2 P(target) over the bytes that the targets stand for; undefined if they stand for none. */
  bitsPerByte: number | undefined;
  tokens: number;
}

/**
 * Scores every target of `batches`.
 * @param bytesOf bytes of text that each token id stands for (0 for special tokens, whose loss still counts)
 */
export function validate(
  model: CausalLM,
  batches: Iterable<Batch>,
  sequenceLength: number,
  bytesOf: Int32Array,
): ValidationResult {
  let nats = 0;
  let tokens = 0;
  let bytes = 0;
  for (const { ids, targets } of batches) {
    const logProbs = targetLogProbs(model, ids, targets, sequenceLength);
    for (let i = 0; i < targets.length; i++) {
      if (targets[i] < 0) continue;
      nats -= logProbs[i];
      bytes += bytesOf[targets[i]];
      tokens++;
    }
  }
  return { loss: nats / tokens, bitsPerByte: bytes > 0 ? nats / Math.LN2 / bytes : undefined, tokens };
}

function targetLogProbs(model: CausalLM, ids: Int32Array, targets: Int32Array, sequenceLength: number): Float32Array {
  return tf.tidy(() => {
    const shape: [number, number] = [ids.length / sequenceLength, sequenceLength];
    const scores = model.logProbs(tf.tensor2d(ids, shape, "int32"), tf.tensor2d(targets, shape, "int32"));
    return scores.logProbs.dataSync() as Float32Array;
  });
}
