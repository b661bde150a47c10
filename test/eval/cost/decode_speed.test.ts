/** What is timed: the prompt until the first token, then each further token. */
import { expect, test } from "vitest";
import { measureDecodeSpeed } from "../../../src/eval/cost/decode_speed.ts";
import type { GenerateRequest, LanguageModel } from "../../../src/language_model/language_model.ts";
import { fakeLanguageModel } from "../fake_language_model.ts";

function timed(tokens: number, secondsPerToken: number, maxLength = 1000) {
  let clock = 100;
  const asked: GenerateRequest[] = [];
  const model: LanguageModel = {
    ...fakeLanguageModel({ maxLength }),
    async *stream(request) {
      asked.push(request);
      clock += 2;
      for (let i = 1; i <= Math.min(tokens, request.maxTokens); i++) {
        yield { text: "x", tokens: i, end: null };
        clock += secondsPerToken;
      }
    },
  };
  return { asked, speed: measureDecodeSpeed(model, "Some text.", undefined, () => clock) };
}

test("a prompt of 512 tokens and 128 written", async () => {
  const { asked, speed } = timed(999, 0.125);
  expect(await speed).toEqual({ promptTokens: 512, firstToken: 2, writtenTokens: 127, perToken: 0.125 });
  expect(asked[0]).toMatchObject({ maxTokens: 128, until: [] });
});

test("a small context gets a shorter prompt", async () => {
  const { asked, speed } = timed(999, 1, 20);
  expect(await speed).toMatchObject({ promptTokens: 15, writtenTokens: 4, perToken: 1 });
  expect(asked[0].context).toHaveLength(15);
});

test("a slow model is measured on fewer tokens; one that ends at once not at all", async () => {
  expect(await timed(999, 10).speed).toMatchObject({ writtenTokens: 3, perToken: 10 });
  expect(await timed(0, 1).speed).toMatchObject({ firstToken: null, writtenTokens: 0, perToken: null });
});

test("the prompt does not begin as what was asked before", async () => {
  const { asked, speed } = timed(9, 1);
  await speed;
  const { tokenizer } = fakeLanguageModel({});
  expect(tokenizer.decode(asked[0].context).startsWith("text. text.")).toBe(true);
});
