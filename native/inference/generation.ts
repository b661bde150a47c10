/** A text in the making: tokens as they are drawn, with the text that each of them settles. */
import { GeneratedText } from "../../src/language_model/generated_text.ts";
import type { StopReason } from "../../src/language_model/language_model.ts";
import type { SamplingOptions } from "../../src/language_model/sampling.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { EngineRequestError } from "./native_engine.ts";
import type { Session } from "./session.ts";

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

/** A session and what is to be appended to it before the first token is drawn. */
export interface PreparedPrompt {
  session: Session;
  /** At least one. */
  ids: readonly number[];
  /** Called once, when the generation has ended in any way, with all tokens drawn. */
  release(drawn: readonly number[]): void;
}

export interface GenerationSource {
  tokenizer: Tokenizer;
  endIds: ReadonlySet<number>;
  /** Called when the first token is asked for. */
  prepare(): Promise<PreparedPrompt>;
  /** Most prompt tokens per native call: between two calls, others get their turn. */
  promptPart(): number;
}

// A native call draws as many tokens as take about this long: prompt streaming, fair turns, calls that cost nothing.
const callMilliseconds = 15;
const mostTokensPerCall = 16;

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
    if (!(maxTokens > 0)) throw new EngineRequestError(`maxTokens must be at least 1, not ${maxTokens}`);
    signal?.throwIfAborted();
    const { session, ids, release } = await this.#source.prepare();
    try {
      const used = session.length();
      // The last token drawn takes no position.
      const room = session.capacity - used - ids.length + 1;
      if (room < 1) {
        throw new EngineRequestError(
          `the prompt has ${used + ids.length} tokens, the context has room for ${session.capacity}`,
        );
      }
      this.#usage = { ...this.#usage, promptTokens: used + ids.length, cachedTokens: used };
      yield* this.#draw(session, ids, Math.min(maxTokens, room));
      if (this.#stopReason === "length" && room < maxTokens) this.#stopReason = "context";
    } finally {
      release(this.#tokens);
    }
  }

  async *#draw(session: Session, prompt: readonly number[], limit: number): AsyncGenerator<GeneratedToken, void> {
    const { stop = [], signal } = this.#options;
    const { tokenizer, endIds, promptPart } = this.#source;
    const until = typeof stop === "string" ? [stop] : stop;
    const text = new GeneratedText(tokenizer, { until, maxTokens: limit, endIds });
    const start = performance.now();
    let first = start;
    // What is left for the call that draws the first token is one part, too.
    const alone = Math.max(0, prompt.length - Math.min(prompt.length, promptPart()));
    await session.append(prompt.slice(0, alone), { part: promptPart, signal });
    let next = prompt.slice(alone);
    let steps = 1;
    for (let drawn = 0; !text.ended; ) {
      const callStart = performance.now();
      const sequence = { slot: 0, ids: next, sampling: this.#options, drawn };
      const [ids] = await session.advance([sequence], steps, { endIds: [...endIds], signal });
      const now = performance.now();
      if (drawn === 0) first = now;
      drawn += ids.length;
      next = [ids[ids.length - 1]];
      for (const id of ids) {
        if (text.ended) break;
        text.push([id]);
        this.#tokens.push(id);
        const settled = text.settled;
        const piece = settled.slice(this.#text.length);
        if (piece !== "") this.#text = settled;
        this.#stopReason = text.end;
        this.#usage = {
          ...this.#usage,
          generatedTokens: this.#tokens.length,
          promptSeconds: (first - start) / 1000,
          generationSeconds: (now - first) / 1000,
        };
        yield { id, text: piece };
      }
      // The first call ran the prompt, too: it says nothing about the speed of drawing.
      const fitting = drawn === 1 ? 1 : Math.floor((callMilliseconds * ids.length) / Math.max(now - callStart, 0.1));
      steps = Math.max(1, Math.min(fitting, mostTokensPerCall, limit - drawn));
    }
  }
}
