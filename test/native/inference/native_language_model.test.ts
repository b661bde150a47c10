/** Evaluation and generation through the engine: requests, stop strings, tokenizers in the file. */
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Engine } from "../../../native/inference/engine.ts";
import { NativeLanguageModel } from "../../../native/inference/native_language_model.ts";
import { tokenizerOf } from "../../../src/gguf/gguf_tokenizer.ts";
import { GeneratedText } from "../../../src/language_model/generated_text.ts";
import type { LoglikelihoodResult } from "../../../src/language_model/language_model.ts";
import { trainBpe } from "../../../src/tokenizer/bpe_trainer.ts";
import { byteLevelTokenizer } from "../../../src/tokenizer/byte_level_tokenizer.ts";
import { exportSmallModel, randomSequences, temporaryFolder } from "./exported_model.ts";

const folder = temporaryFolder("native-language-model-");
afterAll(() => folder.remove());
const file = path.join(folder.path, "model.gguf");
const tokenizer = byteLevelTokenizer();
let model: NativeLanguageModel;
beforeAll(async () => {
  await exportSmallModel(file, "tq1_0", {}, tokenizer);
  model = await NativeLanguageModel.open(file, { threads: 2 });
});
afterAll(() => model.dispose());

describe("log-likelihoods", () => {
  it("are those of the engine, summed, whatever the order of the requests", async () => {
    const requests = randomSequences([20, 30, 10, 30, 25], 256).map((ids) => ({
      context: [...ids.subarray(0, 5)],
      continuation: [...ids.subarray(5)],
    }));
    const counts: number[] = [];
    const results = await model.loglikelihood(requests, { onDone: (count) => counts.push(count) });
    expect(counts.at(-1)).toBe(5);
    const reversed = await model.loglikelihood(requests.toReversed());
    expect(reversed.toReversed()).toEqual(results);
    for (const [i, { context, continuation }] of requests.entries()) {
      const [{ logprobs, greedy }] = await model.engine.score([Int32Array.from([...context, ...continuation])]);
      const tokens = logprobs.slice(context.length - 1);
      expect(results[i].tokenLogprobs).toEqual(tokens);
      expect(results[i].logprob).toBe(tokens.reduce((sum, value) => sum + value, 0));
      expect(results[i].isGreedy).toBe(greedy.slice(context.length - 1).every((flag) => flag === 1));
    }
  });
});

describe("log-likelihoods of requests that share their beginnings", () => {
  const [shots, ...parts] = randomSequences([30, 12, 20, 9, 14], 256).map((ids) => [...ids]);
  // Examples, questions, answers of one token and of several.
  const requests = parts.flatMap((question, q) =>
    [1, 2, 3, 4].map((answer) => ({
      context: [...shots, ...question],
      continuation: q % 2 === 0 ? [answer] : [...shots.slice(0, answer), answer],
    })),
  );

  it("have the bits of requests made alone, in any order; each is heard as it is answered", async () => {
    const alone: LoglikelihoodResult[] = [];
    for (const request of requests) alone.push(...(await model.loglikelihood([request])));
    const heard = new Map<number, unknown>();
    const onAnswer = (i: number, answer: LoglikelihoodResult) => heard.set(i, answer);
    expect(await model.loglikelihood(requests, { onAnswer })).toEqual(alone);
    expect(requests.map((_, i) => heard.get(i))).toEqual(alone);
    const mixed = requests.map((_, i) => (i * 7) % requests.length);
    expect(await model.loglikelihood(mixed.map((i) => requests[i]))).toEqual(mixed.map((i) => alone[i]));
  });

  it("generate the same text in a slot that held another sequence", async () => {
    // More than there are slots.
    const problems = Array.from({ length: 40 }, (_, i) => ({
      context: [...shots, ...parts[i % 4].slice(0, 3 + (i % 5))],
      until: [],
      maxTokens: 4 + (i % 3),
    }));
    const heard: string[] = [];
    const texts = await model.generateUntil(problems, {
      onAnswer: (i, text) => {
        heard[i] = text;
      },
    });
    expect(heard).toEqual(texts);
    for (const [i, problem] of problems.entries()) expect(await model.generateUntil([problem])).toEqual([texts[i]]);
  });
});

describe("generation", () => {
  const contexts = randomSequences([3, 40, 17, 60, 8], 256).map((ids) => [...ids]);

  async function greedyIds(context: readonly number[], count: number): Promise<number[]> {
    const session = model.engine.createSession({ capacity: 128 });
    const [ids] = await session.advance([{ slot: 0, ids: context }], count);
    session.dispose();
    return [...ids];
  }

  it("of a batch equals one by one, and streams the same text", async () => {
    const requests = contexts.map((context, i) => ({ context, until: [], maxTokens: 10 + 5 * i }));
    const texts = await model.generateUntil(requests);
    for (const [i, request] of requests.entries()) {
      const ids = await greedyIds(request.context, request.maxTokens);
      const end = ids.findIndex((id) => model.endIds.has(id));
      expect(texts[i]).toBe(tokenizer.decode(end < 0 ? ids : ids.slice(0, end)));
      let streamed = "";
      for await (const { text } of model.stream(request)) streamed += text;
      expect(streamed).toBe(texts[i]);
    }
  });

  it("ends before a stop string that spans tokens", async () => {
    const [free] = await model.generateUntil([{ context: contexts[0], until: [], maxTokens: 40 }]);
    expect(free.length).toBeGreaterThan(12);
    const stop = free.slice(8, 11);
    const expected = free.slice(0, free.indexOf(stop));
    const request = { context: contexts[0], until: ["never there", stop], maxTokens: 40 };
    expect(await model.generateUntil([request])).toEqual([expected]);
    let streamed = "";
    for await (const { text } of model.stream(request)) streamed += text;
    expect(streamed).toBe(expected);
  });

  it("stops at the end of the context", async () => {
    const [text] = await model.generateUntil([{ context: contexts[3], until: [], maxTokens: 500 }]);
    const ids = await greedyIds(contexts[3], 128 - 60 + 1);
    expect(text.startsWith(tokenizer.decode(ids.slice(0, 60)))).toBe(true);
  });

  it("ends when it is aborted", async () => {
    const controller = new AbortController();
    controller.abort();
    const request = { context: contexts[0], until: [], maxTokens: 40 };
    await expect(model.generateUntil([request], { signal: controller.signal })).rejects.toMatchObject({
      name: "AbortError",
    });
  });
});

describe("generated text", () => {
  const limits = { until: ["END", "\n\n"], maxTokens: 100, endIds: new Set([tokenizer.eosTokenId!]) };

  it("holds back what may become a stop string or a character", () => {
    const text = new GeneratedText(tokenizer, limits);
    text.push(tokenizer.encode("one EN"));
    expect([text.settled, text.ended]).toEqual(["one ", false]);
    text.push(tokenizer.encode("TRY"));
    expect(text.settled).toBe("one ENTRY");
    const bytes = tokenizer.encode("é");
    text.push(bytes.slice(0, 1));
    expect(text.settled).toBe("one ENTRY");
    text.push(bytes.slice(1));
    expect(text.settled).toBe("one ENTRYé");
    text.push(tokenizer.encode(" EN"));
    text.push(tokenizer.encode("D more"));
    expect([text.text, text.settled, text.ended]).toEqual(["one ENTRYé ", "one ENTRYé ", true]);
  });

  it("ends at an end id and at the token limit", () => {
    const text = new GeneratedText(tokenizer, limits);
    text.push([...tokenizer.encode("ab"), tokenizer.eosTokenId!, ...tokenizer.encode("c")]);
    expect([text.text, text.ended, text.tokens]).toEqual(["ab", true, 2]);
    const short = new GeneratedText(tokenizer, { ...limits, maxTokens: 2 });
    short.push(tokenizer.encode("abc"));
    expect([short.text, short.ended]).toEqual(["ab", true]);
  });
});

describe("the tokenizer of a file", () => {
  const text = "Hello there, it's 2024!  <|endoftext|>\n\nThe naïve café 12345 ROUND trip";

  it("is the exported tokenizer.json", () => {
    expect(model.tokenizer.json).toEqual(tokenizer.json);
    expect(model.tokenizer.encode(text)).toEqual(tokenizer.encode(text));
  });

  it.each(["gpt2", "llama3"] as const)(
    "is rebuilt from the vocabulary of another program (%s)",
    async (preTokenizer) => {
      const trained = await trainBpe([text.repeat(3), "there is the other café"], { vocabSize: 300, preTokenizer });
      const foreign = path.join(folder.path, `${preTokenizer}.gguf`);
      await exportSmallModel(foreign, "tq2_0", {}, trained);
      const engine = await Engine.load(foreign);
      const metadata = new Map(engine.metadata);
      metadata.delete("tokenizer.huggingface.json");
      const stripped = {
        path: engine.path,
        metadata,
        tokenizerJson: null,
        metadataArray: (key: string) => engine.metadataArray(key),
      } as unknown as Engine;
      const rebuilt = tokenizerOf(stripped);
      expect(rebuilt.encode(text)).toEqual(trained.encode(text));
      expect(rebuilt.eosTokenId).toBe(trained.eosTokenId);
      expect(rebuilt.decode(rebuilt.encode(text), { skipSpecialTokens: false })).toBe(text);
      engine.dispose();
    },
  );

  it("is missed with a clear message", async () => {
    const bare = path.join(folder.path, "bare.gguf");
    await exportSmallModel(bare, "tq2_0");
    await expect(NativeLanguageModel.open(bare)).rejects.toThrow(
      "no usable tokenizer: the file has no tokenizer.huggingface.json, and its tokenizer.ggml.model is missing",
    );
  });
});
