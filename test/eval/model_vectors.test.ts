/** Tokenizers, logits, likelihood and greedy generation of the two small models against transformers'. */
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TfjsLanguageModel } from "../../src/language_model/tfjs_language_model.ts";
import { hasNative, useBackend } from "../support/tfjs_backends.ts";
import { modelDirectory, modelVectors, type TinyModel, tolerance } from "./golden_lm_eval.ts";

describe.each<TinyModel>(["tiny-llama", "tiny-bitnet"])("%s", (name) => {
  const vectors = modelVectors[name];
  let model: TfjsLanguageModel;

  beforeAll(async () => {
    await useBackend(hasNative ? "native" : "cpu");
    model = await TfjsLanguageModel.open(modelDirectory(name));
  });
  afterAll(() => model.dispose());

  test.each(vectors.encode_default)("encodes $text", ({ text, ids }) => {
    expect(model.tokenizer.encode(text)).toEqual(ids);
  });
  test.each(vectors.encode_no_special)("encodes $text without special tokens", ({ text, ids }) => {
    expect(model.tokenizer.encode(text, { addSpecialTokens: false })).toEqual(ids);
  });

  test("logits after the prompt", () => {
    const ids = vectors.prompt_ids;
    const logits = tf.tidy(() =>
      model.model.logitsAt(tf.tensor2d(ids, [1, ids.length], "int32"), [ids.length - 1]).dataSync(),
    );
    const differences = vectors.last_logits.map((expected, i) => Math.abs(expected - logits[i]));
    expect(Math.max(...differences)).toBeLessThan(name === "tiny-llama" ? 1e-4 : 2e-3);
  });

  test("negative log-likelihood of the prompt", async () => {
    const [first, ...rest] = vectors.prompt_ids;
    const [result] = await model.loglikelihood([{ context: [first], continuation: rest }]);
    expect(Math.abs(-result.logprob - vectors.nll_prompt)).toBeLessThan(tolerance(name, vectors.nll_prompt));
  });

  test("24 greedy tokens", async () => {
    const request = { context: vectors.prompt_ids, until: [], maxTokens: 24 };
    expect(await model.generateUntil([request])).toEqual([vectors.greedy24_text]);
    expect(model.tokenizer.decode(vectors.greedy24)).toBe(vectors.greedy24_text);
  });

  test("a batch scores and generates what its requests do alone", async () => {
    const requests = [1, 7, 15].map((length) => ({
      context: vectors.prompt_ids.slice(0, length),
      continuation: vectors.prompt_ids.slice(length, length + 5),
    }));
    const together = await model.loglikelihood(requests);
    for (const [i, request] of requests.entries()) {
      const [alone] = await model.loglikelihood([request]);
      alone.tokenLogprobs.forEach((value, j) => {
        expect(Math.abs(value - together[i].tokenLogprobs[j])).toBeLessThan(1e-4);
      });
      expect(together[i].isGreedy).toBe(alone.isGreedy);
    }
    const prompts = requests.map(({ context }) => ({ context, until: ["\n"], maxTokens: 12 }));
    const texts = await model.generateUntil(prompts);
    for (const [i, prompt] of prompts.entries()) expect(await model.generateUntil([prompt])).toEqual([texts[i]]);
  });
});
