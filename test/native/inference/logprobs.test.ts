/** Log-probabilities of texts and generations: the engine's, the checkpoint's, and log softmax of the logits. */
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel, logprobsOf, type TextModel } from "../../../native/inference/index.ts";
import { TfjsLanguageModel } from "../../../src/language_model/tfjs_language_model.ts";
import { useBackend } from "../../support/tfjs_backends.ts";
import { chatTokenizer, exportChatModel, trainedChatModel } from "./chat_model.ts";
import { temporaryFolder } from "./exported_model.ts";

const folder = temporaryFolder("logprobs-");
afterAll(() => folder.remove());
const file = path.join(folder.path, "model.gguf");
let model: TextModel;
beforeAll(async () => {
  await exportChatModel(file);
  model = await loadModel(file, { threads: 1 });
});
afterAll(() => model.dispose());

const text = "The lamp is blue.";

describe("logprobs of a text", () => {
  it("have an entry for every token, BOS included, whose values are those of scoring", async () => {
    const tokens = await model.logprobs(text, { top: 2 });
    const ids = model.encode(text);
    expect(tokens.map(({ id }) => id)).toEqual(ids);
    expect(tokens[0]).toEqual({ id: chatTokenizer.bosTokenId, text: "<|begin_of_text|>", logprob: null, top: [] });
    expect(tokens[1].text).toBe("T");
    const { tokenLogprobs } = await model.loglikelihood(ids.slice(0, 1), ids.slice(1));
    expect(tokens.slice(1).map(({ logprob }) => logprob)).toEqual([...tokenLogprobs]);
  });

  it("list the likeliest tokens: log softmax of the logits, with the bits of scoring them", async () => {
    const tokens = await model.logprobs(text, { top: 5 });
    const ids = model.encode(text);
    const session = model.languageModel.engine.createSession();
    for (let end = 1; end < ids.length; end += 4) {
      await session.truncate(0);
      const logits = await session.prefill(ids.slice(0, end));
      const order = [...logits.keys()].sort((a, b) => logits[b] - logits[a] || a - b).slice(0, 5);
      const largest = logits[order[0]];
      const normalizer = largest + Math.log(logits.reduce((sum, value) => sum + Math.exp(value - largest), 0));
      expect(tokens[end].top.map(({ id }) => id)).toEqual(order);
      for (const { id, logprob } of tokens[end].top) {
        expect(logprob).toBeCloseTo(logits[id!] - normalizer, 5);
        expect((await model.loglikelihood(ids.slice(0, end), [id!])).logprob).toBe(logprob);
      }
    }
    session.dispose();
  });

  it("of a generation are those that it was drawn from", async () => {
    const generation = await model.generate("Once", { maxTokens: 6, temperature: 0 }).finish();
    const prompt = model.encode("Once");
    const tokens = await model.logprobs([...prompt, ...generation.tokens], { from: prompt.length, top: 1 });
    expect(tokens.map(({ id }) => id)).toEqual(generation.tokens);
    for (const { id, logprob, top } of tokens) expect(top).toEqual([{ id, text: expect.any(String), logprob }]);
  });

  it("are empty for no text, at most the vocabulary, and refuse other numbers", async () => {
    expect(await model.logprobs([])).toEqual([]);
    const [, { top }] = await model.logprobs([1, 2], { top: 100_000 });
    expect(top).toHaveLength(model.config.vocabSize);
    expect(new Set(top.map(({ id }) => id)).size).toBe(model.config.vocabSize);
    await expect(model.logprobs(text, { top: 1.5 })).rejects.toThrow("top must be an integer from 0, not 1.5");
    await expect(model.logprobs(text, { from: -1 })).rejects.toThrow("from must be an integer from 0, not -1");
  });
});

it("the checkpoint tells the same tokens and bits", async () => {
  await useBackend("native");
  const trained = new TfjsLanguageModel({ name: "chat", model: await trainedChatModel(), tokenizer: chatTokenizer });
  const ids = model.encode(text);
  expect(await logprobsOf(trained, ids, { top: 4 })).toEqual(await model.logprobs(text, { top: 4 }));
  trained.dispose();
});
