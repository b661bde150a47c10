/** One model, one set of bits: the training forward, chunks, batches, threads and kernel variants. */
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadAddon } from "../../../native/addon.ts";
import { registerNativeBackend } from "../../../native/backend/index.ts";
import { Engine, type SequenceScore } from "../../../native/inference/engine.ts";
import type { ModelConfigJson } from "../../../src/config/model_config.ts";
import type { ExportType } from "../../../src/config/tensor_fit.ts";
import { CausalLM } from "../../../src/model/causal_lm.ts";
import { exportSmallModel, randomSequences, temporaryFolder } from "./exported_model.ts";

const folder = temporaryFolder("engine-bits-");
afterAll(() => folder.remove());
beforeAll(async () => {
  registerNativeBackend();
  await tf.setBackend("native");
});

const models: [string, ExportType, Partial<ModelConfigJson>][] = [
  ["relu2 as TQ2_0", "tq2_0", {}],
  ["relu2 as TQ1_0", "tq1_0", {}],
  ["relu2 as I2_S, float32 scale and embedding", "i2_s", { scale_dtype: "f32", embedding_dtype: "f32" }],
  ["relu2 as F16, bfloat16 embedding", "f16", { embedding_dtype: "bf16" }],
  ["relu2 as F32, 8-bit embedding", "f32", { embedding_dtype: "q8_0" }],
  ["SiLU as TQ2_0", "tq2_0", { hidden_act: "silu" }],
  ["no sub-norms, untied head", "tq2_0", { use_sub_norms: false, tie_word_embeddings: false }],
  ["float activations", "tq2_0", { activation_quantizer: "none" }],
  ["float weights", "f32", { weight_quantizer: "none", activation_quantizer: "none" }],
  ["float weights, int8 activations", "f32", { weight_quantizer: "none" }],
  [
    "Llama-shaped",
    "f32",
    { weight_quantizer: "none", activation_quantizer: "none", hidden_act: "silu", use_sub_norms: false },
  ],
  ["head size 24", "tq2_0", { num_attention_heads: 4, num_key_value_heads: 1, head_dim: 64, rope_theta: 10000 }],
];

const variants = loadAddon()
  .features()
  .variants.filter(({ supported }) => supported)
  .map(({ name }) => name);

function bits(scores: readonly SequenceScore[]): string[] {
  return scores.map(({ logprobs, greedy }) => [...new Uint32Array(logprobs.slice().buffer), ...greedy].join(" "));
}

describe.each(models)("%s", (name, type, changes) => {
  const file = path.join(folder.path, `${name.replaceAll(/\W+/g, "-")}.gguf`);
  const sequences = randomSequences([2, 17, 52, 3, 20], 300);
  let reference: SequenceScore[];

  beforeAll(async () => {
    const { config, parameters } = await exportSmallModel(file, type, changes);
    const engine = await Engine.load(file, { threads: 1 });
    reference = await engine.score(sequences);
    engine.dispose();

    const model = new CausalLM(config, { parameters: (parameter) => parameters.get(parameter)! });
    for (const [i, ids] of sequences.entries()) {
      const shape: [number, number] = [1, ids.length - 1];
      const { logProbs, argmax } = tf.tidy(() =>
        model.logProbs(tf.tensor2d(ids.slice(0, -1), shape, "int32"), tf.tensor2d(ids.slice(1), shape, "int32")),
      );
      const best = await argmax.data();
      const expected = { logprobs: (await logProbs.data()) as Float32Array, greedy: new Uint8Array(ids.length - 1) };
      expected.greedy.forEach((_, t) => {
        expected.greedy[t] = best[t] === ids[t + 1] ? 1 : 0;
      });
      expect(bits([reference[i]])).toEqual(bits([expected]));
      tf.dispose([logProbs, argmax]);
    }
    model.dispose();
  });

  it.each(variants)("has the same bits for threads, chunks and batches on %s", async (variant) => {
    loadAddon().setVariant(variant);
    for (const [threads, chunk, first, last] of [
      [1, 7, 0, 5],
      [2, undefined, 0, 5],
      [3, 50, 2, 3],
      [2, "token", 0, 2],
    ] as const) {
      const engine = await Engine.load(file, { threads });
      expect(engine.config.variant).toBe(variant);
      const scores = await engine.score(sequences.slice(first, last), { chunk });
      expect(bits(scores)).toEqual(bits(reference.slice(first, last)));
      engine.dispose();
    }
    loadAddon().setVariant("");
  });

  it("scores continuations that share a context to the same bits", async () => {
    const engine = await Engine.load(file, { threads: 2 });
    const context = sequences[2].subarray(0, 40);
    const requests = [sequences[2].subarray(40), sequences[4], sequences[3]].map((continuation) => ({
      context,
      continuation,
    }));
    requests.push({ context: context.subarray(0, 24), continuation: sequences[1] });
    const shared = await engine.scoreContinuations(requests);
    for (const [i, request] of requests.entries()) {
      const whole = await engine.score([Int32Array.from([...request.context, ...request.continuation])]);
      const expected = {
        logprobs: whole[0].logprobs.slice(request.context.length - 1),
        greedy: whole[0].greedy.slice(request.context.length - 1),
      };
      expect(bits([shared[i]])).toEqual(bits([expected]));
    }
    engine.dispose();
  });

  it("gives the same logits token by token and in one prefill", async () => {
    const engine = await Engine.load(file, { threads: 2 });
    const session = engine.createSession({ slots: 2, capacity: 64 });
    const ids = sequences[4];
    const whole = await session.prefill(ids, { slot: 1 });
    let last: Float32Array | undefined;
    for (const id of ids) last = await session.decode(id);
    expect(Buffer.from(last!.buffer).equals(Buffer.from(whole.buffer))).toBe(true);
    engine.dispose();
  });
});
