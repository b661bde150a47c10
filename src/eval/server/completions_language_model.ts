/**
 * The LanguageModel behind a server with OpenAI's completions API, on token ids as `local-completions` of
 * lm-evaluation-harness uses it.
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
import { sharingOrder } from "../sharing_order.ts";
import { truncateAtStop } from "../stop_strings.ts";
import { echoedScore, forcedScore, readChoices } from "./completions_answer.ts";
import type { CompletionsClient } from "./completions_client.ts";
import { ServerError } from "./server_error.ts";

export type Scoring = "echo" | "forced";

export interface CompletionsModelOptions {
  client: CompletionsClient;
  /** As the server calls it. */
  model: string;
  tokenizer: Tokenizer;
  maxLength: number;
  scoring: Scoring;
  /** Requests under way at the same time. */
  concurrency?: number;
  /** Prompts of one scoring request with `echo`. */
  batchSize?: number;
  info?: Record<string, string | number>;
}

/** The largest that the API allows. */
const forcingBias = 100;

export class CompletionsLanguageModel implements LanguageModel {
  readonly name: string;
  readonly tokenizer: Tokenizer;
  readonly maxLength: number;
  readonly info: Record<string, string | number>;
  private readonly client: CompletionsClient;
  private readonly model: string;
  private readonly scoring: Scoring;
  private readonly concurrency: number;
  private readonly batchSize: number;
  private forcingChecked = false;

  constructor({ client, model, tokenizer, maxLength, scoring, ...rest }: CompletionsModelOptions) {
    const { concurrency = 1, batchSize = 1, info = {} } = rest;
    this.name = `${client.url} ${model}`;
    this.client = client;
    this.model = model;
    this.tokenizer = tokenizer;
    this.maxLength = maxLength;
    this.scoring = scoring;
    this.concurrency = concurrency;
    this.batchSize = scoring === "echo" ? batchSize : 1;
    this.info = { backend: "completions server", model, scoring, tokenizer: tokenizer.hash.slice(0, 12), ...info };
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
    const batches: number[][] = [];
    for (let i = 0; i < order.length; i += this.batchSize) batches.push(order.slice(i, i + this.batchSize));
    if (this.scoring === "forced" && requests.length > 0) await this.checkForcing(requests[order[0]], signal);
    let done = 0;
    await this.each(batches, signal, async (batch, inner) => {
      const asked = batch.map((index) => requests[index]);
      const scores = this.scoring === "echo" ? await this.echoed(asked, inner) : [await this.forced(asked[0], inner)];
      batch.forEach((index, i) => {
        results[index] = scores[i];
        onAnswer?.(index, scores[i]);
      });
      done += batch.length;
      onDone?.(done);
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
        const answer = await this.client.post("completions", this.generationBody(request), inner);
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
    for await (const event of this.client.events("completions", this.generationBody(request), signal)) {
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

  private async echoed(requests: readonly LoglikelihoodRequest[], signal: AbortSignal): Promise<LoglikelihoodResult[]> {
    const prompts = requests.map(({ context, continuation }) => [...context, ...continuation]);
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
    return readChoices(answer, requests.length, this.where).map((choice, i) =>
      echoedScore(choice, requests[i], this.where),
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
      const body = { model: this.model, prompt: ids, max_tokens: 1, temperature: 0, logprobs: 1, cache_prompt: true };
      const answer = await this.client.post("completions", { ...body, logit_bias: { [id]: forcingBias } }, signal);
      const score = forcedScore(readChoices(answer, 1, this.where)[0], id, this.where);
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

  /** Two different tokens cannot both be likelier than not: then the log-probabilities are those after the bias. */
  private async checkForcing({ context }: LoglikelihoodRequest, signal?: AbortSignal): Promise<void> {
    if (this.forcingChecked) return;
    const [a, b] = [0, 1].map((offset) => (context[0] + offset) % this.tokenizer.vocabSize);
    const scores = [];
    for (const id of [a, b]) scores.push(await this.forced({ context, continuation: [id] }, signal));
    if (scores.every(({ logprob }) => logprob > Math.log(0.51))) {
      throw new ServerError(
        `${this.where}: its log-probabilities include logit_bias, so scoring=forced cannot be used; try scoring=echo`,
      );
    }
    this.forcingChecked = true;
  }

  private generationBody({ context, until, maxTokens, temperature = 0, topK, topP, seed }: GenerateRequest): object {
    return {
      model: this.model,
      prompt: context,
      max_tokens: maxTokens,
      temperature,
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
