/**
 * The LanguageModel behind a server with OpenAI's completions API, on token ids as `local-completions` of
 * lm-evaluation-harness uses it, or on their text where a server takes no ids.
 */
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import type {
  CallOptions,
  GeneratedPiece,
  GenerateRequest,
  LanguageModel,
  LoglikelihoodRequest,
  LoglikelihoodResult,
} from "../language_model.ts";
import type { ServerFacts } from "../model_facts.ts";
import { sharingOrder } from "../sharing_order.ts";
import { truncateAtStop } from "../stop_strings.ts";
import { readChoices } from "./completions_answer.ts";
import type { CompletionsClient } from "./completions_client.ts";
import { CompletionsEndpoint } from "./completions_endpoint.ts";
import type { CompletionsScoring } from "./completions_scoring.ts";
import { EchoScoring } from "./echo_scoring.ts";
import { ForcedScoring } from "./forced_scoring.ts";
import type { PromptForm } from "./prompt_form.ts";
import type { ServedShape } from "./served_shape.ts";

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
  /** If the server tells it. */
  parameters?: number;
  /** If files tell it. */
  served?: ServedShape;
}

export class CompletionsLanguageModel implements LanguageModel {
  readonly name: string;
  readonly tokenizer: Tokenizer;
  readonly maxLength: number;
  readonly facts: ServerFacts;
  private readonly endpoint: CompletionsEndpoint;
  private readonly scoring: CompletionsScoring;
  private readonly sampling: Record<string, number>;
  private readonly concurrency: number;
  private scoringChecked = false;

  constructor({ client, model, tokenizer, maxLength, scoring, ...rest }: CompletionsModelOptions) {
    const { promptForm = "ids", sampling = {}, concurrency = 1, batchSize = 1 } = rest;
    const name = `${client.url} ${model}`;
    this.name = name;
    this.tokenizer = tokenizer;
    this.maxLength = maxLength;
    this.endpoint = new CompletionsEndpoint({ client, model, tokenizer, promptForm });
    this.scoring = scoring === "echo" ? new EchoScoring(this.endpoint, batchSize) : new ForcedScoring(this.endpoint);
    this.sampling = sampling;
    this.concurrency = concurrency;
    this.facts = {
      kind: "server",
      model,
      scoring,
      prompts: promptForm,
      tokenizer: tokenizer.hash.slice(0, 12),
      parameters: rest.parameters ?? null,
      shape: rest.served?.shape ?? null,
      linearBytes: rest.served?.linearBytes ?? null,
      // Whatever stands behind an address may change; its name is all that is known.
      identity: async () => `server ${name} ${scoring} ${tokenizer.hash}`,
    };
  }

  async loglikelihood(
    requests: readonly LoglikelihoodRequest[],
    { signal, onDone, onAnswer }: CallOptions<LoglikelihoodResult> = {},
  ): Promise<LoglikelihoodResult[]> {
    const results = new Array<LoglikelihoodResult>(requests.length);
    // Servers keep the beginning of the last prompts.
    const order = sharingOrder(requests);
    if (requests.length > 0 && !this.scoringChecked) {
      await this.scoring.check(requests, order, signal);
      this.scoringChecked = true;
    }
    let done = 0;
    await this.each(this.scoring.batches(requests, order), signal, (batch, inner) =>
      this.scoring.score(
        batch.map((index) => requests[index]),
        inner,
        (place, result) => {
          results[batch[place]] = result;
          onAnswer?.(batch[place], result);
          onDone?.(++done);
        },
      ),
    );
    return results;
  }

  async generateUntil(
    requests: readonly GenerateRequest[],
    { signal, onDone, onAnswer }: CallOptions<string> = {},
  ): Promise<string[]> {
    const texts = new Array<string>(requests.length).fill("");
    let done = 0;
    await this.each([...requests.keys()], signal, async (index, inner) => {
      const request = requests[index];
      if (request.maxTokens > 0) {
        const answer = await this.endpoint.complete(this.generationBody(request), inner);
        const [{ text }] = readChoices(answer, 1, this.endpoint.where);
        texts[index] = truncateAtStop(text, request.until);
      }
      onAnswer?.(index, texts[index]);
      onDone?.(++done);
    });
    return texts;
  }

  async *stream(
    request: GenerateRequest,
    { signal }: Pick<CallOptions<never>, "signal"> = {},
  ): AsyncGenerator<GeneratedPiece, void> {
    let tokens = 0;
    const body = { ...this.generationBody(request), stream_options: { include_usage: true } };
    for await (const event of this.endpoint.events(body, signal)) {
      const { usage, choices } = (event ?? {}) as {
        usage?: { completion_tokens?: number } | null;
        choices?: unknown[];
      };
      // The last event counts the tokens that were held back as parts of a character.
      if (usage?.completion_tokens !== undefined && usage.completion_tokens > tokens) {
        tokens = usage.completion_tokens;
        yield { text: "", tokens, end: null };
      }
      if (usage && choices?.length === 0) continue;
      const { text } = readChoices(event, 1, this.endpoint.where)[0];
      // The servers send one token a piece.
      if (text !== "") yield { text, tokens: ++tokens, end: null };
    }
  }

  dispose(): void {}

  private generationBody({
    context,
    until,
    maxTokens,
    temperature = 0,
    topK,
    topP,
    minP,
    seed,
  }: GenerateRequest): object {
    return {
      prompt: this.endpoint.prompt(context),
      max_tokens: maxTokens,
      temperature,
      ...this.sampling,
      ...(until.length > 0 && { stop: until }),
      ...(temperature > 0 && {
        seed,
        ...(topK && { top_k: topK }),
        ...(topP && { top_p: topP }),
        ...(minP && { min_p: minP }),
      }),
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
