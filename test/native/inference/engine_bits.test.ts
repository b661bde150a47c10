/** One model, one set of bits: chunks, batches, threads and kernel variants change nothing; tfjs agrees closely. */
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadAddon } from "../../../native/addon.ts";
import { Engine, type SequenceScore } from "../../../native/inference/engine.ts";
import type { ModelConfigJson } from "../../../src/config/model_config.ts";
import type { ExportType } from "../../../src/config/packing_rules.ts";
import { CausalLM } from "../../../src/model/causal_lm.ts";
import { exportSmallModel, randomSequences, temporaryFolder } from "./exported_model.ts";

const folder = temporaryFolder("engine-bits-");
afterAll(() => folder.remove());
beforeAll(() => tf.setBackend("cpu"));

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
  return scores.map(({ logprobs, greedy }) => Buffer.from(logprobs.buffer).toString("hex") + greedy.join(""));
}

describe.each(models)("%s", (name, type, changes) => {
  const file = path.join(folder.path, `${name.replaceAll(/\W+/g, "-")}.gguf`);
  const sequences = randomSequences([2, 17, 40, 3, 75, 33, 16, 5], 300);
  let reference: SequenceScore[];

  beforeAll(async () => {
    const { config, parameters } = await exportSmallModel(file, type, changes);
    const engine = await Engine.load(file, { threads: 1 });
    reference = await engine.score(sequences);
    engine.dispose();

    // The tfjs forward on the cpu backend, within a tolerance: an int8 code may flip at a rounding edge.
    const model = new CausalLM(config, { parameters: (parameter) => parameters.get(parameter)! });
    const ids = sequences[5];
    const { logProbs } = tf.tidy(() =>
      model.logProbs(
        tf.tensor2d(ids.slice(0, -1), [1, ids.length - 1], "int32"),
        tf.tensor2d(ids.slice(1), [1, ids.length - 1], "int32"),
      ),
    );
    const expected = await logProbs.data();
    model.dispose();
    logProbs.dispose();
    const worst = Math.max(...expected.map((value, i) => Math.abs(value - reference[5].logprobs[i])));
    expect(worst).toBeLessThan(1e-2);
  });

  it.each(variants)("has the same bits for threads, chunks and batches on %s", async (isa) => {
    loadAddon().setIsa(isa);
    for (const [threads, chunk, first, last] of [
      [1, 7, 0, 8],
      [2, undefined, 0, 8],
      [3, 50, 0, 8],
      [2, "token", 0, 4],
      [3, undefined, 4, 5],
    ] as const) {
      const engine = await Engine.load(file, { threads });
      expect(engine.config.isa).toBe(isa);
      const scores = await engine.score(sequences.slice(first, last), { chunk });
      expect(bits(scores)).toEqual(bits(reference.slice(first, last)));
      engine.dispose();
    }
    loadAddon().setIsa("");
  });

  it("scores continuations that share a context to the same bits", async () => {
    const engine = await Engine.load(file, { threads: 2 });
    const context = sequences[4].subarray(0, 50);
    const requests = [sequences[4].subarray(50), sequences[5], sequences[3]].map((continuation) => ({
      context,
      continuation,
    }));
    requests.push({ context: context.subarray(0, 30), continuation: sequences[1] });
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
    const ids = sequences[5];
    const whole = await session.prefill(ids, { slot: 1 });
    let last: Float32Array | undefined;
    for (const id of ids) last = await session.decode(id);
    expect(Buffer.from(last!.buffer).equals(Buffer.from(whole.buffer))).toBe(true);
    engine.dispose();
  });
});
