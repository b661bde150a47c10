/** How well a model predicts texts: perplexity and bits per byte, in windows of its context. */
import type { CallOptions, LanguageModel } from "../language_model/language_model.ts";
import { RequestEncoder, type Windows } from "../language_model/request_encoding.ts";
import { RequestError } from "../language_model/request_error.ts";
import { countWords } from "../python/whitespace.ts";

/** Sums over texts; {@link addTextScores} adds those of several. */
export interface TextScore {
  texts: number;
  /** Scored: all that the texts have. */
  tokens: number;
  /** UTF-8. */
  bytes: number;
  /** What white space separates. */
  words: number;
  /** Sum of the natural log-probabilities of the tokens, and of their squares. */
  logLikelihood: number;
  squares: number;
}

export interface TextMetrics {
  /** exp(-log-likelihood / tokens), and its standard error over the tokens (delta method); null for one token. */
  perplexity: number;
  perplexityError: number | null;
  wordPerplexity: number;
  bytePerplexity: number;
  bitsPerByte: number;
}

export interface TextOptions extends Pick<CallOptions<never>, "signal"> {
  /** Positions of a window; default all that the model has. */
  context?: number;
  /** Tokens that a window scores after the first one; default as many as it has positions: each token is run once. */
  stride?: number;
  /** Hears windows done, of all. */
  onProgress?(done: number, total: number): void;
}

/** The windows that are meant. @throws {RequestError} if the model has too few positions for them. */
export function textWindows(maxLength: number, { context = maxLength, stride = context }: Partial<Windows>): Windows {
  if (!Number.isInteger(context) || context < 1 || context > maxLength) {
    throw new RequestError(`a window must have 1 to ${maxLength} positions, the model's context, not ${context}`);
  }
  if (!Number.isInteger(stride) || stride < 1 || stride > context) {
    throw new RequestError(`the stride must be 1 to ${context}, the positions of a window, not ${stride}`);
  }
  return { context, stride };
}

/**
 * Scores each text by itself: its first token is given BOS (or EOS, where the tokenizer has no BOS).
 * @throws {RequestError} if no text has a token, or the windows do not fit the model.
 */
export async function scoreTexts(
  model: LanguageModel,
  texts: readonly string[],
  { context, stride, signal, onProgress }: TextOptions = {},
): Promise<TextScore> {
  const windows = textWindows(model.maxLength, { context, stride });
  const encoder = new RequestEncoder(model.tokenizer, model.maxLength);
  const requests = texts.flatMap((text) => encoder.encodeWindows(text, windows));
  if (requests.length === 0) throw new RequestError("there is no token to score");
  const onDone = (done: number) => onProgress?.(done, requests.length);
  const results = await model.loglikelihood(requests, { signal, onDone });
  const score = { texts: texts.length, tokens: 0, bytes: 0, words: 0, logLikelihood: 0, squares: 0 };
  for (const text of texts) {
    score.bytes += Buffer.byteLength(text);
    score.words += countWords(text);
  }
  for (const { tokenLogprobs } of results) {
    score.tokens += tokenLogprobs.length;
    for (const value of tokenLogprobs) {
      score.logLikelihood += value;
      score.squares += value * value;
    }
  }
  return score;
}

export function addTextScores(scores: readonly TextScore[]): TextScore {
  const sum = (key: keyof TextScore) => scores.reduce((total, score) => total + score[key], 0);
  return {
    texts: sum("texts"),
    tokens: sum("tokens"),
    bytes: sum("bytes"),
    words: sum("words"),
    logLikelihood: sum("logLikelihood"),
    squares: sum("squares"),
  };
}

export function textMetrics({ tokens, bytes, words, logLikelihood, squares }: TextScore): TextMetrics {
  const perplexity = Math.exp(-logLikelihood / tokens);
  const variance = (squares - logLikelihood ** 2 / tokens) / (tokens - 1);
  return {
    perplexity,
    perplexityError: tokens > 1 ? perplexity * Math.sqrt(Math.max(0, variance) / tokens) : null,
    wordPerplexity: Math.exp(-logLikelihood / words),
    bytePerplexity: Math.exp(-logLikelihood / bytes),
    bitsPerByte: -logLikelihood / (bytes * Math.LN2),
  };
}
