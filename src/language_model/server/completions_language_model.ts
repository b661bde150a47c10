/**
 * The LanguageModel behind a server with OpenAI's completions API, on token ids as `local-completions` of
 * lm-evaluation-harness uses it, or on their text where a server takes no ids.
 *
 * Log-likelihoods: the whole request as prompt with `echo`, `logprobs: 1` and one generated token. llama.cpp's server has no
 * `echo`; there (`scoring: "forced"`) each token of a continuation is one request, whose one generated token is made the
 * wanted one by `logit_bias`, and whose log-probability is that before the bias.
 */
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import type {
  GenerateRequest,
  LanguageModel,
  LoglikelihoodRequest,
  LoglikelihoodResult,
  OnAnswer,
} from "../language_model.ts";
import { requestLength, sharingOrder } from "../sharing_order.ts";
import { truncateAtStop } from "../stop_strings.ts";
import {
  type Choice,
  echoedScore,
  echoedTop,
  forcedScore,
  generatedTop,
  listedScore,
  readChoices,
  type TopLogprobs,
} from "./completions_answer.ts";
import type { CompletionsClient } from "./completions_client.ts";
import { isBosImplied, type PromptForm, promptText } from "./prompt_form.ts";
import { ServerError } from "./server_error.ts";

export type Scoring = "echo" | "forced";

export interface CompletionsModelOptions {
  client: CompletionsClient;
  /** As the server calls it. */
  model: string;
  tokenizer: Tokenizer;
  maxLength: number;
  scoring: Scoring;
  promptForm?: PromptForm;
  /** Sent with what is to be generated, unless the request says otherwise: neutral values of a server's own samplers. */
  sampling?: Record<string, number>;
  /** Requests under way at the same time. */
  concurrency?: number;
  /** Prompts of one scoring request with `echo`. */
  batchSize?: number;
  info?: Record<string, string | number>;
}

/** The largest that the API allows. */
const forcingBias = 100;
/** Contexts on which the positions of echoed log-probabilities are checked. */
const checkedContexts = 3;
/** The likeliest tokens asked for there: no server refuses so many. */
const checkedTokens = 5;
/** Further apart, nats, than a server's own numerics take one log-probability when it is computed in another way. */
const checkedDistance = 0.2;

/** Runs of requests with the same context in `order`: asked one after the other, its context is run once. */
function sameContext(requests: readonly LoglikelihoodRequest[], order: readonly number[]): number[][] {
  const runs: number[][] = [];
  let last: readonly number[] | undefined;
  for (const index of order) {
    const { context } = requests[index];
    if (context.length === last?.length && context.every((id, i) => id === last![i])) runs.at(-1)!.push(index);
    else runs.push([index]);
    last = context;
  }
  return runs;
}

function likeliest(top: TopLogprobs): [string, number] {
  return Object.entries(top).reduce((a, b) => (b[1] > a[1] ? b : a));
}

export class CompletionsLanguageModel implements LanguageModel {
  readonly name: string;
  readonly tokenizer: Tokenizer;
  readonly maxLength: number;
  readonly info: Record<string, string | number>;
  private readonly client: CompletionsClient;
  private readonly model: string;
  private readonly scoring: Scoring;
  private readonly promptForm: PromptForm;
  private readonly sampling: Record<string, number>;
  private readonly concurrency: number;
  private readonly batchSize: number;
  /** An id whose text is not a part of a character. */
  private readonly wholeToken: number;
  private scoringChecked = false;

  constructor({ client, model, tokenizer, maxLength, scoring, ...rest }: CompletionsModelOptions) {
    const { promptForm = "ids", sampling = {}, concurrency = 1, batchSize = 1, info = {} } = rest;
    this.name = `${client.url} ${model}`;
    this.client = client;
    this.model = model;
    this.tokenizer = tokenizer;
    this.maxLength = maxLength;
    this.scoring = scoring;
    this.promptForm = promptForm;
    this.sampling = sampling;
    this.concurrency = concurrency;
    this.batchSize = batchSize;
    this.wholeToken = tokenizer.encode("a", { addSpecialTokens: false })[0];
    const tokenizerHash = tokenizer.hash.slice(0, 12);
    this.info = {
      backend: "completions server",
      model,
      scoring,
      prompts: promptForm,
      tokenizer: tokenizerHash,
      ...info,
    };
  }

  async loglikelihood(
    requests: readonly LoglikelihoodRequest[],
    onDone?: (count: number) => void,
    signal?: AbortSignal,
    onAnswer?: OnAnswer<LoglikelihoodResult>,
  ): Promise<LoglikelihoodResult[]> {
    const results = new Array<LoglikelihoodResult>(requests.length);
    // Servers keep the beginning of the last prompts.
    const order = sharingOrder(requests);
    if (requests.length > 0) await this.checkScoring(requests, order, signal);
    let done = 0;
    const answer = (index: number, score: LoglikelihoodResult) => {
      results[index] = score;
      onAnswer?.(index, score);
      onDone?.(++done);
    };
    const batches = this.scoring === "echo" ? this.batches(order) : sameContext(requests, order);
    await this.each(batches, signal, async (batch, inner) => {
      if (this.scoring === "echo") {
        const scores = await this.echoed(
          batch.map((index) => requests[index]),
          inner,
        );
        batch.forEach((index, i) => {
          answer(index, scores[i]);
        });
      } else for (const index of batch) answer(index, await this.forced(requests[index], inner));
    });
    return results;
  }

  async generateUntil(
    requests: readonly GenerateRequest[],
    onDone?: (count: number) => void,
    signal?: AbortSignal,
    onAnswer?: OnAnswer<string>,
  ): Promise<string[]> {
    const texts = new Array<string>(requests.length).fill("");
    let done = 0;
    await this.each([...requests.keys()], signal, async (index, inner) => {
      const request = requests[index];
      if (request.maxTokens > 0) {
        const answer = await this.complete(this.generationBody(request), inner);
        const [{ text }] = readChoices(answer, 1, this.where);
        texts[index] = truncateAtStop(text, request.until);
      }
      onAnswer?.(index, texts[index]);
      onDone?.(++done);
    });
    return texts;
  }

  async *stream(
    request: GenerateRequest,
    signal?: AbortSignal,
    onTokens?: (count: number) => void,
  ): AsyncGenerator<string, void> {
    let pieces = 0;
    const body = { ...this.generationBody(request), stream_options: { include_usage: true } };
    for await (const event of this.client.events("completions", body, signal)) {
      const { usage, choices } = (event ?? {}) as {
        usage?: { completion_tokens?: number } | null;
        choices?: unknown[];
      };
      // The last event counts the tokens that were held back as parts of a character.
      if (usage?.completion_tokens !== undefined && usage.completion_tokens > pieces) {
        pieces = usage.completion_tokens;
        onTokens?.(pieces);
      }
      if (usage && choices?.length === 0) continue;
      const { text } = readChoices(event, 1, this.where)[0];
      if (text === "") continue;
      // The servers send one token a piece.
      onTokens?.(++pieces);
      yield text;
    }
  }

  dispose(): void {}

  private get where(): string {
    return `${this.client.url}/completions`;
  }

  private async complete(body: object, signal?: AbortSignal): Promise<unknown> {
    try {
      return await this.client.post("completions", body, signal);
    } catch (error) {
      const asksForText =
        this.promptForm === "ids" && error instanceof ServerError && /valid string|string_type/.test(error.message);
      throw asksForText ? new ServerError(`${error.message}; prompts=text sends text, not token ids`) : error;
    }
  }

  private batches(order: readonly number[]): number[][] {
    const count = Math.ceil(order.length / this.batchSize);
    return Array.from({ length: count }, (_, i) => order.slice(i * this.batchSize, (i + 1) * this.batchSize));
  }

  private prompt(ids: readonly number[]): readonly number[] | string {
    return this.promptForm === "ids" ? ids : promptText(this.tokenizer, ids, this.where);
  }

  /** Text of a BOS that the server puts in front by itself. */
  private impliedBos(ids: readonly number[]): string | null {
    if (this.promptForm === "ids" || !isBosImplied(this.tokenizer, ids)) return null;
    return this.tokenizer.decode(ids.slice(0, 1), { skipSpecialTokens: false });
  }

  private async echoed(requests: readonly LoglikelihoodRequest[], signal: AbortSignal): Promise<LoglikelihoodResult[]> {
    const prompts = requests.map(({ context, continuation }) => this.prompt([...context, ...continuation]));
    const answer = await this.client.post(
      "completions",
      {
        model: this.model,
        // A list of one prompt is not understood by every server.
        prompt: prompts.length === 1 ? prompts[0] : prompts,
        max_tokens: 1,
        temperature: 0,
        logprobs: 1,
        echo: true,
      },
      signal,
    );
    const tokens = requests.reduce((sum, request) => sum + requestLength(request), 0);
    return readChoices(answer, requests.length, this.where, tokens).map((choice, i) =>
      echoedScore(choice, requests[i], this.impliedBos(requests[i].context), this.where),
    );
  }

  private async forced(
    { context, continuation }: LoglikelihoodRequest,
    signal?: AbortSignal,
  ): Promise<LoglikelihoodResult> {
    const ids = [...context];
    const values: number[] = [];
    let isGreedy = true;
    for (const id of continuation) {
      const choice = await this.afterBias(ids, id, 1, signal);
      // A part of a character: llama.cpp's server tells nothing of a token that it holds back.
      const score = choice.logprobs
        ? forcedScore(choice, id, this.where)
        : listedScore(await this.afterBias(ids, this.wholeToken, this.tokenizer.vocabSize, signal), id, this.where);
      values.push(score.logprob);
      isGreedy &&= score.isGreedy;
      ids.push(id);
    }
    return {
      logprob: values.reduce((sum, value) => sum + value, 0),
      isGreedy,
      tokenLogprobs: Float32Array.from(values),
    };
  }

  /** One token after `ids`, made to be `id`, with the log-probabilities of the `listed` likeliest ones before the bias. */
  private async afterBias(ids: readonly number[], id: number, listed: number, signal?: AbortSignal): Promise<Choice> {
    const body = {
      model: this.model,
      prompt: ids,
      max_tokens: 1,
      temperature: 0,
      logprobs: listed,
      cache_prompt: true,
    };
    const answer = await this.complete({ ...body, logit_bias: { [id]: forcingBias } }, signal);
    return readChoices(answer, 1, this.where)[0];
  }

  /** Whether the server scores as it is asked to; once. @throws {ServerError} if not */
  private async checkScoring(
    requests: readonly LoglikelihoodRequest[],
    order: readonly number[],
    signal?: AbortSignal,
  ): Promise<void> {
    if (this.scoringChecked) return;
    if (this.scoring === "forced") await this.checkForcing(requests[order[0]], signal);
    else
      for (const [index] of sameContext(requests, order).slice(0, checkedContexts))
        await this.checkEcho(requests[index], signal);
    this.scoringChecked = true;
  }

  /** Two different tokens cannot both be likelier than not: then the log-probabilities are those after the bias. */
  private async checkForcing({ context }: LoglikelihoodRequest, signal?: AbortSignal): Promise<void> {
    const [a, b] = [0, 1].map((offset) => (context[0] + offset) % this.tokenizer.vocabSize);
    const scores = [];
    for (const id of [a, b]) scores.push(await this.forced({ context, continuation: [id] }, signal));
    if (scores.every(({ logprob }) => logprob > Math.log(0.51))) {
      throw new ServerError(
        `${this.where}: its log-probabilities include logit_bias, so scoring=forced cannot be used; try scoring=echo`,
      );
    }
  }

  /**
   * The likeliest token after a context must be the one that is generated there: llama-cpp-python scores a prompt without
   * BOS one position too late.
   */
  private async checkEcho(request: LoglikelihoodRequest, signal?: AbortSignal): Promise<void> {
    const { context, continuation } = request;
    const ids = [...context, ...continuation];
    const body = { model: this.model, max_tokens: 1, temperature: 0, logprobs: checkedTokens };
    const ask = async (more: object) =>
      readChoices(await this.complete({ ...body, ...more }, signal), 1, this.where)[0];
    const generated = generatedTop(await ask({ prompt: this.prompt(context) }));
    const choice = await ask({ prompt: this.prompt(ids), echo: true });
    const echoed = echoedTop(choice, request, this.impliedBos(ids), this.where);
    // An end of the text may not be listed, and a part of a character has no text.
    if (generated === null || echoed === null) return;
    const [token, logprob] = likeliest(generated);
    if (token === "" || Math.abs((echoed[token] ?? Number.NEGATIVE_INFINITY) - logprob) <= checkedDistance) return;
    const [other, otherLogprob] = likeliest(echoed);
    throw new ServerError(
      `${this.where}: its echo has the log-probabilities of other positions: after ${context.length} tokens the likeliest ` +
        `is ${JSON.stringify(token)} (${logprob.toFixed(3)}), with echo ${JSON.stringify(other)} ` +
        `(${otherLogprob.toFixed(3)}); llama-cpp-python does so without BOS: llama.cpp's own server is right`,
    );
  }

  private generationBody({ context, until, maxTokens, temperature = 0, topK, topP, seed }: GenerateRequest): object {
    return {
      model: this.model,
      prompt: this.prompt(context),
      max_tokens: maxTokens,
      temperature,
      ...this.sampling,
      ...(until.length > 0 && { stop: until }),
      ...(temperature > 0 && { seed, ...(topK && { top_k: topK }), ...(topP && { top_p: topP }) }),
    };
  }

  /** Runs `task` on all items, so many at a time; the first error ends the others. */
  private async each<T>(
    items: readonly T[],
    signal: AbortSignal | undefined,
    task: (item: T, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const failed = new AbortController();
    const either = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
    let next = 0;
    const worker = async () => {
      while (next < items.length) {
        either.throwIfAborted();
        await task(items[next++], either);
      }
    };
    let first: unknown;
    const workers = Array.from({ length: Math.min(this.concurrency, items.length) }, () =>
      worker().catch((error) => {
        first ??= error;
        failed.abort(error);
      }),
    );
    await Promise.all(workers);
    if (first !== undefined) throw first;
  }
}
