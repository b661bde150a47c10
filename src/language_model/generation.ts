/** A text in the making: tokens as they are drawn, with the text that each of them settles. */
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { GeneratedText } from "./generated_text.ts";
import { drawTokens, type Pace, type RunningText, type TokenSource } from "./generation_loop.ts";
import type { GeneratedPiece, GenerateRequest, StopReason } from "./language_model.ts";
import { RequestError } from "./request_error.ts";
import type { SamplingOptions } from "./sampling.ts";

export interface GenerateOptions extends SamplingOptions {
  /** Default: until something else ends the text. */
  maxTokens?: number;
  /** Strings that end the text and are not part of it. */
  stop?: string | readonly string[];
  /** Ends the generation within milliseconds, also inside a long prompt; the iteration throws the signal's reason. */
  signal?: AbortSignal;
}

export interface GeneratedToken {
  id: number;
  /**
   * Text that is final with this token, maybe "": bytes of an incomplete character and beginnings of a stop string are
   * held back until it is clear what they are. All of them together are the whole text.
   */
  text: string;
}

export interface GenerationUsage {
  promptTokens: number;
  /** Tokens of the prompt that were in the cache already. */
  cachedTokens: number;
  /** Drawn, the one that ended the text included. */
  generatedTokens: number;
  /** From the first call to the first token. */
  promptSeconds: number;
  /** From the first token to the last. */
  generationSeconds: number;
}

/** A source that can take a prompt in parts, without looking at what it predicts. */
export interface PromptSource extends TokenSource {
  /** After each part of `part` ids other callers get their turn. When aborted, the parts before stay. */
  append(ids: ArrayLike<number>, options: { slot?: number; part?: () => number; signal?: AbortSignal }): Promise<void>;
}

/** Where a text is drawn, and what is to be appended there before the first token. */
export interface PreparedPrompt {
  source: PromptSource;
  slot: number;
  /** At least one. */
  ids: readonly number[];
  /** Tokens of the prompt that are in the slot already. */
  cached: number;
  /** Called once, when the generation has ended in any way, with all tokens drawn. */
  release(drawn: readonly number[]): void;
}

export interface GenerationSource {
  tokenizer: Tokenizer;
  endIds: ReadonlySet<number>;
  /** Called when the first token is asked for. */
  prepare(): Promise<PreparedPrompt>;
  /** Most prompt tokens per call: between two calls, others get their turn. */
  promptPart(): number;
}

// A call draws as many tokens as take about this long: prompt streaming, fair turns, calls that cost nothing.
const callMilliseconds = 15;
const mostTokensPerCall = 16;

/** The first token comes alone, as early as possible; then as many a call as fit into {@link callMilliseconds}. */
class TimedPace implements Pace {
  #calls = 0;
  #steps = 1;

  steps(): number {
    return this.#steps;
  }

  took(milliseconds: number, tokens: number): void {
    // The first call ran the prompt, too: it says nothing about the speed of drawing.
    if (this.#calls++ === 0) return;
    const fitting = Math.floor((callMilliseconds * tokens) / Math.max(milliseconds, 0.1));
    this.#steps = Math.max(1, Math.min(fitting, mostTokensPerCall));
  }
}

/**
 * Iterate it, or `await finish()`. Nothing runs before that; leaving the loop early ends the generation.
 */
export class Generation implements AsyncIterable<GeneratedToken> {
  readonly #source: GenerationSource;
  readonly #options: GenerateOptions;
  readonly #tokens: number[] = [];
  #text = "";
  #stopReason: StopReason | null = null;
  #usage: GenerationUsage = {
    promptTokens: 0,
    cachedTokens: 0,
    generatedTokens: 0,
    promptSeconds: 0,
    generationSeconds: 0,
  };
  #iterator: AsyncGenerator<GeneratedToken, void> | null = null;

  constructor(source: GenerationSource, options: GenerateOptions) {
    this.#source = source;
    this.#options = options;
  }

  /** Null while it runs, and after an error or an abort. */
  get stopReason(): StopReason | null {
    return this.#stopReason;
  }

  /** The text so far. */
  get text(): string {
    return this.#text;
  }

  /** Ids drawn so far. */
  get tokens(): readonly number[] {
    return this.#tokens;
  }

  get usage(): Readonly<GenerationUsage> {
    return this.#usage;
  }

  /** @throws {TypeError} the second time: a text is generated once. */
  [Symbol.asyncIterator](): AsyncGenerator<GeneratedToken, void> {
    if (this.#iterator !== null) throw new TypeError("this generation is being read already");
    this.#iterator = this.#run();
    return this.#iterator;
  }

  /** Runs to the end. */
  async finish(): Promise<this> {
    for await (const _ of this);
    return this;
  }

  async *#run(): AsyncGenerator<GeneratedToken, void> {
    const { maxTokens = Number.POSITIVE_INFINITY, signal } = this.#options;
    if (!(maxTokens > 0)) throw new RequestError(`maxTokens must be at least 1, not ${maxTokens}`);
    signal?.throwIfAborted();
    const prompt = await this.#source.prepare();
    const { source, slot, ids, cached, release } = prompt;
    try {
      // The last token drawn takes no position.
      const room = source.room(slot) - ids.length + 1;
      const promptTokens = cached + ids.length;
      if (room < 1) {
        const capacity = cached + source.room(slot);
        throw new RequestError(`the prompt has ${promptTokens} tokens, the context has room for ${capacity}`);
      }
      this.#usage = { ...this.#usage, promptTokens, cachedTokens: cached };
      yield* this.#draw(prompt, Math.min(maxTokens, room), room < maxTokens ? "context" : "length");
    } finally {
      release(this.#tokens);
    }
  }

  /** @param atLimit why the text ends after `limit` tokens */
  async *#draw(
    { source, slot, ids: prompt }: PreparedPrompt,
    limit: number,
    atLimit: StopReason,
  ): AsyncGenerator<GeneratedToken, void> {
    const { stop = [], signal } = this.#options;
    const { tokenizer, endIds, promptPart } = this.#source;
    const until = typeof stop === "string" ? [stop] : stop;
    const text = new GeneratedText(tokenizer, { until, maxTokens: limit, endIds });
    const start = performance.now();
    let first: number | undefined;
    // What is left for the call that draws the first token is one part, too.
    const alone = Math.max(0, prompt.length - Math.min(prompt.length, promptPart()));
    await source.append(prompt.slice(0, alone), { slot, part: promptPart, signal });
    const running: RunningText = {
      slot,
      text,
      sampling: this.#options,
      maxTokens: limit,
      ids: prompt.slice(alone),
      drawn: 0,
    };
    const next = () => (text.ended ? [] : [running]);
    for await (const [{ ids }] of drawTokens(source, next, new TimedPace(), { endIds: [...endIds], signal })) {
      const now = performance.now();
      first ??= now;
      for (const id of Array.from(ids)) {
        if (text.ended) break;
        text.push([id]);
        this.#tokens.push(id);
        const settled = text.settled;
        const piece = settled.slice(this.#text.length);
        if (piece !== "") this.#text = settled;
        this.#stopReason = text.end === "length" ? atLimit : text.end;
        this.#usage = {
          ...this.#usage,
          generatedTokens: this.#tokens.length,
          promptSeconds: (first - start) / 1000,
          generationSeconds: (now - first) / 1000,
        };
        yield { id, text: piece };
      }
    }
  }
}

/** A `LanguageModel`'s stream of one request. */
export async function* streamPieces(
  source: GenerationSource,
  { until, maxTokens, ...sampling }: Omit<GenerateRequest, "context">,
  signal: AbortSignal | undefined,
): AsyncGenerator<GeneratedPiece, void> {
  if (maxTokens <= 0) return;
  const generation = new Generation(source, { ...sampling, maxTokens, stop: until, signal });
  for await (const { text, id } of generation) {
    const end = generation.stopReason;
    yield { text, id, tokens: generation.tokens.length - (end === "eos" ? 1 : 0), end };
  }
}
