import { expect, test } from "vitest";
import type { LanguageModel } from "../../src/language_model/language_model.ts";
import {
  type Answer,
  contest,
  explainsDifference,
  followTexts,
  type GeneratedTokens,
} from "../support/lm_eval/lm_eval_agreement.ts";
import { fakeLanguageModel } from "./fake_language_model.ts";

const answers = (...values: number[]): Answer[] => values.map((value) => [value, false]);

test("another choice may win only where the best two are closer than the programs differ", () => {
  const won = contest(answers(-10, -9.96, -30), answers(-9.97, -10, -30), [1, 1, 1]);
  expect(won.margin).toBeCloseTo(0.03);
  expect(won.difference).toBeCloseTo(0.07);
  expect(explainsDifference(won)).toBe(true);
  // The same log-likelihoods per character: the second choice wins in both, so nothing may differ.
  expect(contest(answers(-10, -9.96, -30), answers(-9.97, -10, -30), [1, 5, 1]).samePreferred).toBe(true);
  const same = contest(answers(-10, -9, -30), answers(-10.1, -9, -30), [1, 1, 1]);
  expect(same.margin).toBeCloseTo(1.1);
  expect(same.difference).toBeCloseTo(0.1);
  expect(explainsDifference(same)).toBe(false);
});

/** Would write `ids` after any prompt; each token has the log-probability -1, any other -1.02. */
function writer(ids: readonly number[]): LanguageModel {
  return {
    ...fakeLanguageModel({}),
    loglikelihood: async (requests) =>
      requests.map(({ continuation }) => {
        const tokenLogprobs = Float32Array.from(continuation, (id, i) => (id === ids[i] ? -1 : -1.02));
        const isGreedy = continuation.every((id, i) => id === ids[i]);
        return { logprob: tokenLogprobs.reduce((a, b) => a + b, 0), isGreedy, tokenLogprobs };
      }),
  };
}

test("texts are followed to the first token that only one of the programs would write", async () => {
  const texts: GeneratedTokens[] = [
    [7, 8, 9, 10, 11],
    [7, 8, 9, 12, 11],
    [5, 8, 9, 10, 11],
  ].map((ids) => ({ prompt: [1, 2], tokens: ids.map((id) => [id, -1.01, 10, -1.04]) }));
  const [equal, parted, first] = await followTexts(writer([7, 8, 9, 10, 11]), texts);
  expect(equal.parting).toBeNull();
  expect(equal.differences).toHaveLength(5);
  expect(parted.differences).toHaveLength(3);
  expect(parted.differences[0]).toBeCloseTo(0.01);
  expect(parted.parting!.isTheirSecond).toBe(true);
  expect(parted.parting!.margin).toBeCloseTo(0.03);
  expect(parted.parting!.difference).toBeCloseTo(0.05);
  expect(explainsDifference(parted.parting!)).toBe(true);
  // What we would write there, 7, is not their second best, 10.
  expect(first.differences).toHaveLength(0);
  expect(first.parting!.isTheirSecond).toBe(false);
});
