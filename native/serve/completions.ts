/** `/v1/completions`: text and token ids continued, with `echo` and `logprobs` as lm-evaluation-harness asks for them. */
import type { Generation } from "../../src/language_model/generation.ts";
import { ApiError, unsupported } from "./api_error.ts";
import { type CompletionRequest, checkSampling } from "./api_schemas.ts";
import { countTokens, drawnSeed, finishAll, finishReason, generateOptions, mergedPieces, usageOf } from "./choices.ts";
import type { EventStream } from "./event_stream.ts";
import type { ApiMetrics } from "./metrics.ts";
import type { ServedModel } from "./served_model.ts";
import { type CompletionLogprobs, completionLogprobs } from "./token_logprobs.ts";

/** As OpenAI's API has it. */
const defaultMaxTokens = 16;

interface Prompt {
  text: string;
  ids: readonly number[];
}

/** One answer: a prompt, and what continues it (null where only the prompt is asked for). */
interface Choice {
  prompt: Prompt;
  generation: Generation | null;
}

/** A request whose fields are checked. Nothing runs before {@link answer} or {@link stream}. */
export class Completion {
  readonly #served: ServedModel;
  readonly #request: CompletionRequest;
  readonly #signal: AbortSignal;
  readonly #prompts: Prompt[];
  readonly #choices: Choice[];
  readonly #head: { id: string; object: "text_completion"; created: number; model: string };

  /** @throws {ApiError} */
  constructor(served: ServedModel, request: CompletionRequest, id: string, signal: AbortSignal) {
    checkSampling(request);
    const { n, best_of, suffix } = request;
    if ((best_of ?? n ?? 1) !== (n ?? 1)) throw unsupported("best_of", "only the value of n is served");
    if ((suffix ?? "") !== "") throw unsupported("suffix", "not served");
    this.#served = served;
    this.#request = request;
    this.#signal = signal;
    this.#head = {
      id: `cmpl-${id}`,
      object: "text_completion",
      created: Math.floor(Date.now() / 1000),
      model: served.id,
    };
    this.#prompts = promptsOf(request.prompt, served);
    this.#choices = this.#start();
  }

  #start(): Choice[] {
    const maxTokens = this.#request.max_tokens ?? defaultMaxTokens;
    const { contextLength } = this.#served.limits;
    const seed = drawnSeed();
    const count = this.#request.n ?? 1;
    if (maxTokens > 0) this.#served.checkRoom(this.#prompts.length * count);
    return this.#prompts.flatMap((prompt) =>
      Array.from({ length: count }, (_, index) => {
        if (maxTokens === 0) {
          if (prompt.ids.length > contextLength) {
            const message = `the prompt has ${prompt.ids.length} tokens, the context has room for ${contextLength}`;
            throw new ApiError(400, message, { code: "context_length_exceeded" });
          }
          return { prompt, generation: null };
        }
        const options = { ...generateOptions(this.#request, seed, index), maxTokens, signal: this.#signal };
        return { prompt, generation: this.#served.generate(prompt.ids, options) };
      }),
    );
  }

  get #generations(): Generation[] {
    return this.#choices.flatMap(({ generation }) => generation ?? []);
  }

  /** The whole answer. */
  async answer(metrics: ApiMetrics): Promise<object> {
    await finishAll(metrics, this.#served, this.#generations);
    const logprobs = await Promise.all(this.#choices.map((choice) => this.#logprobs(choice)));
    const choices = this.#choices.map(({ prompt, generation }, index) => ({
      index,
      text: (this.#request.echo ? prompt.text : "") + (generation?.text ?? ""),
      logprobs: logprobs[index],
      finish_reason: generation === null ? "length" : finishReason(generation),
    }));
    return { ...this.#head, choices, usage: this.#usage() };
  }

  /** The answer in pieces. */
  async stream(events: EventStream, metrics: ApiMetrics): Promise<void> {
    const { echo, stream_options } = this.#request;
    const chunk = (index: number, text: string, logprobs: CompletionLogprobs | null, finish_reason: string | null) =>
      events.send({ ...this.#head, choices: [{ index, text, logprobs, finish_reason }] });
    try {
      for (const [index, { prompt, generation }] of this.#choices.entries()) {
        if (!echo && generation !== null) continue;
        const logprobs = echo ? await this.#logprobs({ prompt, generation: null }) : null;
        await chunk(index, echo ? prompt.text : "", logprobs, generation === null ? "length" : null);
      }
      const told = this.#choices.map(({ prompt }) => prompt.ids.length);
      for await (const { index, text, ended } of mergedPieces(this.#generations)) {
        const choice = this.#choices[index];
        // A token may settle no text, and has a log-probability all the same.
        const logprobs = await this.#logprobs(choice, told[index]);
        told[index] = choice.prompt.ids.length + choice.generation!.tokens.length;
        if (text === "" && logprobs === null && !ended) continue;
        await chunk(index, text, logprobs, ended ? finishReason(choice.generation!) : null);
      }
      if (stream_options?.include_usage) await events.send({ ...this.#head, choices: [], usage: this.#usage() });
    } finally {
      countTokens(metrics, this.#served, this.#generations);
    }
  }

  #usage() {
    return usageOf(
      this.#prompts.map(({ ids }) => ids),
      this.#generations,
    );
  }

  /** @param from first token to tell of; default: all with `echo`, else those behind the prompt */
  async #logprobs({ prompt, generation }: Choice, from?: number): Promise<CompletionLogprobs | null> {
    const { logprobs: top, echo } = this.#request;
    if (top === undefined || top === null) return null;
    const first = from ?? (echo ? 0 : prompt.ids.length);
    const ids = [...prompt.ids, ...(generation?.tokens ?? [])];
    const listed = await this.#served.model.logprobs(ids, { top, from: first, signal: this.#signal });
    const offset = first === 0 ? 0 : echo ? prompt.text.length : 0;
    return completionLogprobs(listed, offset);
  }
}

/** @throws {ApiError} */
function promptsOf(prompt: CompletionRequest["prompt"], { model }: ServedModel): Prompt[] {
  const ofText = (text: string): Prompt => ({ text, ids: model.encode(text) });
  const ofIds = (ids: readonly number[]): Prompt => {
    const unknown = ids.find((id) => id >= model.config.vocabSize);
    if (unknown !== undefined) {
      const message = `prompt: id ${unknown} is not in the vocabulary of ${model.config.vocabSize}`;
      throw new ApiError(400, message, { param: "prompt" });
    }
    return { text: model.tokenizer.decode(ids), ids };
  };
  if (typeof prompt === "string") return [ofText(prompt)];
  if (typeof prompt[0] === "number") return [ofIds(prompt as number[])];
  return (prompt as (string | number[])[]).map((one) => (typeof one === "string" ? ofText(one) : ofIds(one)));
}
