/** Text from the model in training, one full forward pass per token: to see what it has learned, not for speed. */
import * as tf from "@tensorflow/tfjs";
import type { CausalLM } from "../src/model/causal_lm.ts";
import { CounterRng } from "../src/random/counter_rng.ts";
import type { Tokenizer } from "../src/tokenizer/tokenizer.ts";

export interface SampleOptions {
  /** Empty: a new document. */
  prompt: string;
  maxTokens: number;
  /** 0: the likeliest token each time. */
  temperature: number;
  seed: number;
}

/** Continuation of `prompt`, up to end-of-text or `maxTokens`. */
export async function sampleText(model: CausalLM, tokenizer: Tokenizer, options: SampleOptions): Promise<string> {
  const rng = new CounterRng(options.seed, "sample");
  const start = tokenizer.bosTokenId ?? tokenizer.eosTokenId ?? 0;
  const prompt = tokenizer.encode(options.prompt);
  const ids = prompt.length > 0 ? prompt : [start];
  const first = ids.length;
  while (ids.length - first < options.maxTokens) {
    const logits = lastLogits(model, ids.slice(-model.config.maxPositionEmbeddings));
    const id = options.temperature > 0 ? drawId(logits, options.temperature, rng.uniform()) : argMax(logits);
    if (id === tokenizer.eosTokenId) break;
    ids.push(id);
    // A pass takes a while; Ctrl-C must be heard between two.
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  return tokenizer.decode(ids.slice(first));
}

function lastLogits(model: CausalLM, ids: number[]): Float32Array {
  return tf.tidy(() => {
    const logits = model.logits(tf.tensor2d(ids, [1, ids.length], "int32"));
    return tf.slice(logits, [0, ids.length - 1, 0], [1, 1, -1]).dataSync() as Float32Array;
  });
}

function argMax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

/** Index drawn from softmax(logits / temperature), where `uniform` in [0, 1) picks it. */
function drawId(logits: Float32Array, temperature: number, uniform: number): number {
  const largest = logits[argMax(logits)];
  const weights = Float64Array.from(logits, (value) => Math.exp((value - largest) / temperature));
  let remaining = uniform * weights.reduce((sum, weight) => sum + weight, 0);
  for (let id = 0; id < weights.length; id++) {
    remaining -= weights[id];
    if (remaining < 0) return id;
  }
  // Rounding left a crumb: the last index that has any weight.
  return weights.findLastIndex((weight) => weight > 0);
}
