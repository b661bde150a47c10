/** Perplexity of texts: the windows of lm-evaluation-harness, and sums by hand. */
import { describe, expect, it, test } from "vitest";
import { addTextScores, scoreTexts, textMetrics, textWindows } from "../../src/eval/text_score.ts";
import type { LoglikelihoodRequest } from "../../src/language_model/language_model.ts";
import { rollingWindows } from "../../src/language_model/request_encoding.ts";
import { fakeLanguageModel } from "./fake_language_model.ts";

/** `make_disjoint_window` of `get_rolling_token_windows(1 .. n, 0, context, context - stride + 1)`, lm_eval 0.4.13. */
const windows: [n: number, context: number, stride: number, ids: [number[], number[]][]][] = [
  [
    10,
    4,
    4,
    [
      [[0], [1, 2, 3, 4]],
      [[4], [5, 6, 7, 8]],
      [
        [6, 7, 8],
        [9, 10],
      ],
    ],
  ],
  [
    10,
    4,
    2,
    [
      [[0], [1, 2, 3, 4]],
      [
        [2, 3, 4],
        [5, 6],
      ],
      [
        [4, 5, 6],
        [7, 8],
      ],
      [
        [6, 7, 8],
        [9, 10],
      ],
    ],
  ],
  [
    11,
    4,
    3,
    [
      [[0], [1, 2, 3, 4]],
      [
        [3, 4],
        [5, 6, 7],
      ],
      [
        [6, 7],
        [8, 9, 10],
      ],
      [[7, 8, 9, 10], [11]],
    ],
  ],
  [
    7,
    5,
    1,
    [
      [[0], [1, 2, 3, 4, 5]],
      [[1, 2, 3, 4, 5], [6]],
      [[2, 3, 4, 5, 6], [7]],
    ],
  ],
  [3, 8, 2, [[[0], [1, 2, 3]]]],
  [0, 8, 2, []],
];

test.each(windows)("%i tokens in windows of %i, stride %i", (n, context, stride, expected) => {
  const ids = Array.from({ length: n }, (_, i) => i + 1);
  const pairs = rollingWindows(ids, 0, { context, stride }).map((window) => [window.context, window.continuation]);
  expect(pairs).toEqual(expected);
});

describe("textWindows", () => {
  it("takes the model's context and no overlap unless told otherwise", () => {
    expect(textWindows(128, {})).toEqual({ context: 128, stride: 128 });
    expect(textWindows(128, { context: 64 })).toEqual({ context: 64, stride: 64 });
  });

  it("refuses what does not fit", () => {
    expect(() => textWindows(128, { context: 129 })).toThrow(
      "a window must have 1 to 128 positions, the model's context, not 129",
    );
    expect(() => textWindows(128, { context: 64, stride: 65 })).toThrow(
      "the stride must be 1 to 64, the positions of a window, not 65",
    );
  });
});

describe("scoreTexts", () => {
  /** Each token has log-probability -1, -2, -3, -1 ... by its id. */
  const logprobOf = (id: number) => -1 - (id % 3);
  const asked: LoglikelihoodRequest[] = [];
  const model = {
    ...fakeLanguageModel({ maxLength: 16 }),
    async loglikelihood(requests: readonly LoglikelihoodRequest[]) {
      asked.push(...requests);
      return requests.map(({ continuation }) => {
        const tokenLogprobs = Float32Array.from(continuation, logprobOf);
        return { logprob: tokenLogprobs.reduce((sum, value) => sum + value, 0), isGreedy: false, tokenLogprobs };
      });
    },
  };

  it("scores every token of every text once, and no BOS", async () => {
    const texts = ["The lamp is blue. ".repeat(4), "zwölf"];
    const ids = texts.map((text) => model.tokenizer.encode(text, { addSpecialTokens: false }));
    const score = await scoreTexts(model, texts, { context: 8, stride: 4 });
    expect(asked.flatMap(({ continuation }) => continuation)).toEqual(ids.flat());
    expect(asked.every(({ context, continuation }) => context.length + continuation.length <= 9)).toBe(true);
    const values = ids.flat().map(logprobOf);
    expect(score).toEqual({
      texts: 2,
      tokens: values.length,
      bytes: 72 + 6,
      // As lm-evaluation-harness counts: a space at the end begins one more.
      words: 18,
      logLikelihood: values.reduce((sum, value) => sum + value, 0),
      squares: values.reduce((sum, value) => sum + value * value, 0),
    });
  });

  it("refuses texts without a token", async () => {
    await expect(scoreTexts(model, [""])).rejects.toThrow("there is no token to score");
  });
});

test("metrics: perplexities of tokens, words and bytes, and bits per byte", () => {
  // Three tokens of probability 1/2, 1/4 and 1/8: 6 bits in 4 bytes.
  const values = [0.5, 0.25, 0.125].map(Math.log);
  const score = {
    texts: 1,
    tokens: 3,
    bytes: 4,
    words: 2,
    logLikelihood: values.reduce((sum, value) => sum + value, 0),
    squares: values.reduce((sum, value) => sum + value * value, 0),
  };
  const metrics = textMetrics(score);
  expect(metrics.perplexity).toBeCloseTo(4, 12);
  expect(metrics.wordPerplexity).toBeCloseTo(8, 12);
  expect(metrics.bytePerplexity).toBeCloseTo(2 ** 1.5, 12);
  expect(metrics.bitsPerByte).toBeCloseTo(1.5, 12);
  // Values ln 2, 2 ln 2, 3 ln 2: standard deviation ln 2, of the mean ln 2 / sqrt 3.
  expect(metrics.perplexityError).toBeCloseTo((4 * Math.LN2) / Math.sqrt(3), 12);
  expect(textMetrics(addTextScores([score, score]))).toMatchObject({ bitsPerByte: expect.closeTo(1.5, 12) });
  expect(textMetrics({ ...score, tokens: 1 }).perplexityError).toBeNull();
});
