/** Validation loss: nats per token, and bits per byte of text, which vocabularies cannot flatter. */
import * as tf from "@tensorflow/tfjs";
import type { CausalLM } from "../src/model/causal_lm.ts";
import type { TokenBatch } from "./train_step.ts";

/** A batch that also knows how many UTF-8 bytes its targets stand for. */
export interface CountedBatch extends TokenBatch {
  bytes: number;
}

export interface ValidationResult {
  /** Mean of -log P(target), nats per token; undefined without targets. */
  loss: number | undefined;
  /** Sum of -log2 P(target) over the bytes that the targets stand for; undefined if they stand for none. */
  bitsPerByte: number | undefined;
}

/** Scores every target of `batches`, in order, summed in float64. */
export async function validate(
  model: CausalLM,
  batches: Iterable<CountedBatch> | AsyncIterable<CountedBatch>,
): Promise<ValidationResult> {
  let nats = 0;
  let tokens = 0;
  let bytes = 0;
  for await (const batch of batches) {
    const logProbs = targetLogProbs(model, batch);
    for (let i = 0; i < logProbs.length; i++) {
      if (batch.targets[i] < 0) continue;
      nats -= logProbs[i];
      tokens++;
    }
    bytes += batch.bytes;
  }
  return {
    loss: tokens > 0 ? nats / tokens : undefined,
    bitsPerByte: bytes > 0 ? nats / Math.LN2 / bytes : undefined,
  };
}

function targetLogProbs(model: CausalLM, { ids, targets, sequenceLength }: TokenBatch): Float32Array {
  return tf.tidy(() => {
    const shape: [number, number] = [ids.length / sequenceLength, sequenceLength];
    const scores = model.logProbs(tf.tensor2d(ids, shape, "int32"), tf.tensor2d(targets, shape, "int32"));
    return scores.logProbs.dataSync() as Float32Array;
  });
}
