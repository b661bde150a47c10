/** The two small Hugging Face models of the lm-eval oracle through our code: logits, prompt NLL, greedy continuation. */
import { readFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { loadCausalLM, openCheckpoint } from "../../src/checkpoint/checkpoint.ts";
import type { CausalLM } from "../../src/model/causal_lm.ts";
import { testedBackends, useBackend } from "../support/tfjs_backends.ts";

const golden = path.resolve(import.meta.dirname, "../golden/lm_eval");

interface ModelVectors {
  prompt_ids: number[];
  last_logits: number[];
  nll_prompt: number;
  greedy24: number[];
}

const vectors: Record<string, ModelVectors> = JSON.parse(readFileSync(path.join(golden, "model_vectors.json"), "utf8"));

/** Nats per log-likelihood, from the oracle's README: absolute + relative. */
const tolerances = { "tiny-llama": [1e-4, 2e-6], "tiny-bitnet": [2e-3, 1e-5] } as const;

function lastLogits(lm: CausalLM, ids: readonly number[]): Float32Array {
  return tf.tidy(() => {
    const logits = lm.logits(tf.tensor2d([...ids], [1, ids.length], "int32"));
    return logits.dataSync<"float32">().slice(-lm.config.vocabSize);
  });
}

function indexOfLargest(values: Float32Array): number {
  return values.reduce((best, value, i) => (value > values[best] ? i : best), 0);
}

describe.each(testedBackends)("lm-eval oracle models on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  test.each(["tiny-llama", "tiny-bitnet"] as const)("%s", async (name) => {
    const checkpoint = await openCheckpoint(path.join(golden, "models", name));
    const lm = await loadCausalLM(checkpoint);
    await checkpoint.tensors.close();
    const { prompt_ids: prompt, last_logits: expected, nll_prompt: nll, greedy24 } = vectors[name];

    // The oracle prints five decimals; a flipped int8 code moves a logit by about 1e-3.
    const logits = lastLogits(lm, prompt);
    const largestDifference = Math.max(...expected.map((value, i) => Math.abs(value - logits[i])));
    expect(largestDifference).toBeLessThan(name === "tiny-llama" ? 5e-5 : 5e-3);

    const score = tf.tidy(() => {
      const ids = tf.tensor2d(prompt, [1, prompt.length], "int32");
      const targets = tf.tensor2d([...prompt.slice(1), -1], [1, prompt.length], "int32");
      return tf.sum(lm.logProbs(ids, targets).logProbs).dataSync()[0];
    });
    const [absolute, relative] = tolerances[name];
    expect(Math.abs(-score - nll)).toBeLessThan(absolute + relative * nll);

    const generated: number[] = [];
    while (generated.length < greedy24.length) {
      generated.push(indexOfLargest(lastLogits(lm, [...prompt, ...generated])));
    }
    expect(generated).toEqual(greedy24);
    lm.dispose();
  });
});
