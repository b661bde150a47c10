/**
 * Log-likelihoods without echo (llama.cpp's server): each token of a continuation is one request, whose one generated token
 * is made the wanted one by `logit_bias`, and whose log-probability is that before the bias.
 */
import type { LikelyToken, LoglikelihoodRequest, LoglikelihoodResult } from "../language_model.ts";
import { tokenText } from "../likely_tokens.ts";
import { type Choice, forcedScore, likelyOfIds, listedScore, readChoices } from "./completions_answer.ts";
import type { CompletionsEndpoint } from "./completions_endpoint.ts";
import { type CompletionsScoring, sameContext } from "./completions_scoring.ts";
import { ServerError } from "./server_error.ts";

/** The largest that the API allows. */
const forcingBias = 100;

export class ForcedScoring implements CompletionsScoring {
  private readonly endpoint: CompletionsEndpoint;
  /** An id whose text is not a part of a character. */
  private readonly wholeToken: number;

  constructor(endpoint: CompletionsEndpoint) {
    this.endpoint = endpoint;
    this.wholeToken = endpoint.tokenizer.encode("a", { addSpecialTokens: false })[0];
  }

  batches(requests: readonly LoglikelihoodRequest[], order: readonly number[]): number[][] {
    return sameContext(requests, order);
  }

  /** Two different tokens cannot both be likelier than not: then the log-probabilities are those after the bias. */
  async check(requests: readonly LoglikelihoodRequest[], order: readonly number[], signal?: AbortSignal) {
    const { context } = requests[order[0]];
    const { tokenizer, where } = this.endpoint;
    const [a, b] = [0, 1].map((offset) => (context[0] + offset) % tokenizer.vocabSize);
    const scores = [];
    for (const id of [a, b]) scores.push(await this.forced({ context, continuation: [id] }, signal));
    if (scores.every(({ logprob }) => logprob > Math.log(0.51))) {
      throw new ServerError(
        `${where}: its log-probabilities include logit_bias, so scoring=forced cannot be used; try scoring=echo`,
      );
    }
  }

  async score(
    batch: readonly LoglikelihoodRequest[],
    signal: AbortSignal,
    onScore: (place: number, result: LoglikelihoodResult) => void,
  ): Promise<void> {
    for (const [place, request] of batch.entries()) onScore(place, await this.forced(request, signal));
  }

  private async forced(
    { context, continuation, top: likely = 0 }: LoglikelihoodRequest,
    signal?: AbortSignal,
  ): Promise<LoglikelihoodResult> {
    const { tokenizer, where } = this.endpoint;
    const ids = [...context];
    const values: number[] = [];
    const top: LikelyToken[][] = [];
    let isGreedy = true;
    for (const id of continuation) {
      const listed = Math.max(1, likely);
      const choice = await this.afterBias(ids, id, listed, signal);
      // A part of a character: llama.cpp's server tells nothing of a token that it holds back.
      const told = choice.logprobs ? choice : await this.afterBias(ids, this.wholeToken, tokenizer.vocabSize, signal);
      const score = told === choice ? forcedScore(told, id, where) : listedScore(told, id, where);
      if (likely > 0) top.push(likelyOfIds(told, likely, (other) => tokenText(tokenizer, other)) ?? []);
      values.push(score.logprob);
      isGreedy &&= score.isGreedy;
      ids.push(id);
    }
    return {
      logprob: values.reduce((sum, value) => sum + value, 0),
      isGreedy,
      tokenLogprobs: Float32Array.from(values),
      ...(likely > 0 && { top }),
    };
  }

  /** One token after `ids`, made to be `id`, with the log-probabilities of the `listed` likeliest ones before the bias. */
  private async afterBias(ids: readonly number[], id: number, listed: number, signal?: AbortSignal): Promise<Choice> {
    const body = { prompt: ids, max_tokens: 1, temperature: 0, logprobs: listed, cache_prompt: true };
    const answer = await this.endpoint.complete({ ...body, logit_bias: { [id]: forcingBias } }, signal);
    return readChoices(answer, 1, this.endpoint.where)[0];
  }
}
