/** Lists of likely tokens with their texts. */
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { LikelyToken, LoglikelihoodRequest } from "./language_model.ts";

/** What one token looks like: special tokens by their names, parts of a character as U+FFFD. */
export function tokenText(tokenizer: Tokenizer, id: number): string {
  return tokenizer.decode([id], { skipSpecialTokens: false });
}

/**
 * @param ids, logprobs [places][stride]
 * @param count of each place
 */
export function likelyTokens(
  tokenizer: Tokenizer,
  ids: Int32Array,
  logprobs: Float32Array,
  stride: number,
  count: number,
): LikelyToken[][] {
  return Array.from({ length: stride > 0 ? ids.length / stride : 0 }, (_, place) =>
    Array.from({ length: count }, (_, k) => {
      const i = place * stride + k;
      return { id: ids[i], text: tokenText(tokenizer, ids[i]), logprob: logprobs[i] };
    }),
  );
}

/** A token of a text, how likely it was there, and what was likelier. */
export interface TokenLogprob {
  id: number;
  text: string;
  /** float32 natural log-probability, given all tokens before it; null of the first one, which has none. */
  logprob: number | null;
  /** The likeliest tokens at its place, likeliest first; empty unless they were asked for. */
  top: LikelyToken[];
}

export interface LogprobsOptions {
  /** So many of the likeliest tokens at each place; default 0. */
  top?: number;
  /** Index of the first token to tell of; default 0. */
  from?: number;
  signal?: AbortSignal;
}

/** What {@link logprobsOf} needs of a model. */
export interface ScoringModel {
  readonly tokenizer: Tokenizer;
  loglikelihood(
    requests: readonly LoglikelihoodRequest[],
    options: { signal?: AbortSignal },
  ): Promise<{ tokenLogprobs: Float32Array; top?: LikelyToken[][] }[]>;
}

/** Log-probabilities of the tokens of a text of at most maxLength + 1 ids, as `loglikelihood` scores them. */
export async function logprobsOf(
  model: ScoringModel,
  ids: readonly number[],
  { top = 0, from = 0, signal }: LogprobsOptions = {},
): Promise<TokenLogprob[]> {
  if (!Number.isInteger(top) || top < 0) throw new RangeError(`top must be an integer from 0, not ${top}`);
  if (!Number.isInteger(from) || from < 0) throw new RangeError(`from must be an integer from 0, not ${from}`);
  const first = Math.max(1, from);
  const told: TokenLogprob[] = [];
  if (from === 0 && ids.length > 0) told.push(entry(model, ids[0], null, []));
  if (ids.length <= first) return told;
  const request = { context: ids.slice(0, first), continuation: ids.slice(first), top };
  const [scored] = await model.loglikelihood([request], { signal });
  request.continuation.forEach((id, i) => {
    told.push(entry(model, id, scored.tokenLogprobs[i], scored.top?.[i] ?? []));
  });
  return told;
}

function entry({ tokenizer }: ScoringModel, id: number, logprob: number | null, top: LikelyToken[]): TokenLogprob {
  return { id, text: tokenText(tokenizer, id), logprob, top };
}
