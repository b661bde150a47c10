/** Log-likelihoods by echo: the whole request is the prompt, with `echo`, `logprobs: 1` and one generated token. */
import { largest } from "../../arrays/large_arrays.ts";
import type { LoglikelihoodRequest, LoglikelihoodResult } from "../language_model.ts";
import { requestLength } from "../sharing_order.ts";
import { echoedScore, echoedTop, generatedTop, readChoices, type TopLogprobs } from "./completions_answer.ts";
import type { CompletionsEndpoint } from "./completions_endpoint.ts";
import { type CompletionsScoring, sameContext } from "./completions_scoring.ts";
import { ServerError } from "./server_error.ts";

/** Contexts on which the positions of echoed log-probabilities are checked. */
const checkedContexts = 3;
/** The likeliest tokens asked for there: no server refuses so many. */
const checkedTokens = 5;
/** Further apart, nats, than a server's own numerics take one log-probability when it is computed in another way. */
const checkedDistance = 0.2;

function likeliest(top: TopLogprobs): [string, number] {
  return Object.entries(top).reduce((a, b) => (b[1] > a[1] ? b : a));
}

export class EchoScoring implements CompletionsScoring {
  private readonly endpoint: CompletionsEndpoint;
  private readonly batchSize: number;

  /** @param batchSize prompts of one request */
  constructor(endpoint: CompletionsEndpoint, batchSize: number) {
    this.endpoint = endpoint;
    this.batchSize = batchSize;
  }

  batches(_: readonly LoglikelihoodRequest[], order: readonly number[]): number[][] {
    const count = Math.ceil(order.length / this.batchSize);
    return Array.from({ length: count }, (_, i) => order.slice(i * this.batchSize, (i + 1) * this.batchSize));
  }

  async check(requests: readonly LoglikelihoodRequest[], order: readonly number[], signal?: AbortSignal) {
    for (const [index] of sameContext(requests, order).slice(0, checkedContexts)) {
      await this.checkPositions(requests[index], signal);
    }
  }

  async score(
    batch: readonly LoglikelihoodRequest[],
    signal: AbortSignal,
    onScore: (place: number, result: LoglikelihoodResult) => void,
  ): Promise<void> {
    const { endpoint } = this;
    const prompts = batch.map(({ context, continuation }) => endpoint.prompt([...context, ...continuation]));
    const answer = await endpoint.complete(
      {
        // A list of one prompt is not understood by every server.
        prompt: prompts.length === 1 ? prompts[0] : prompts,
        max_tokens: 1,
        temperature: 0,
        logprobs: largest(
          batch.map(({ top = 0 }) => top),
          1,
        ),
        echo: true,
      },
      signal,
    );
    const tokens = batch.reduce((sum, request) => sum + requestLength(request), 0);
    const scores = readChoices(answer, batch.length, endpoint.where, tokens).map((choice, i) =>
      echoedScore(choice, batch[i], endpoint.impliedBos(batch[i].context), endpoint.where, endpoint.idOfText),
    );
    scores.forEach((result, place) => {
      onScore(place, result);
    });
  }

  /**
   * The likeliest token after a context must be the one that is generated there: llama-cpp-python scores a prompt without
   * BOS one position too late.
   */
  private async checkPositions(request: LoglikelihoodRequest, signal?: AbortSignal): Promise<void> {
    const { endpoint } = this;
    const { context, continuation } = request;
    const ids = [...context, ...continuation];
    const body = { max_tokens: 1, temperature: 0, logprobs: checkedTokens };
    const ask = async (more: object) =>
      readChoices(await endpoint.complete({ ...body, ...more }, signal), 1, endpoint.where)[0];
    const generated = generatedTop(await ask({ prompt: endpoint.prompt(context) }));
    const choice = await ask({ prompt: endpoint.prompt(ids), echo: true });
    const echoed = echoedTop(choice, request, endpoint.impliedBos(ids), endpoint.where);
    // An end of the text may not be listed, and a part of a character has no text.
    if (generated === null || echoed === null) return;
    const [token, logprob] = likeliest(generated);
    if (token === "" || Math.abs((echoed[token] ?? Number.NEGATIVE_INFINITY) - logprob) <= checkedDistance) return;
    const [other, otherLogprob] = likeliest(echoed);
    throw new ServerError(
      `${endpoint.where}: its echo has the log-probabilities of other positions: after ${context.length} tokens the likeliest ` +
        `is ${JSON.stringify(token)} (${logprob.toFixed(3)}), with echo ${JSON.stringify(other)} ` +
        `(${otherLogprob.toFixed(3)}); llama-cpp-python does so without BOS: llama.cpp's own server is right`,
    );
  }
}
