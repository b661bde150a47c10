/** Text of generated tokens, and where it ends: stop strings are found across token boundaries. */
import { containsStop, truncateAtStop } from "../../src/eval/stop_strings.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";

export interface TextLimits {
  until: readonly string[];
  maxTokens: number;
  /** Ids that end the text and are not part of it. */
  endIds: ReadonlySet<number>;
}

export class GeneratedText {
  readonly #tokenizer: Tokenizer;
  readonly #limits: TextLimits;
  readonly #ids: number[] = [];
  #text = "";
  #ended = false;

  constructor(tokenizer: Tokenizer, limits: TextLimits) {
    this.#tokenizer = tokenizer;
    this.#limits = limits;
    this.#ended = limits.maxTokens <= 0;
  }

  /** Nothing that follows changes {@link text}. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Tokens taken so far. */
  get tokens(): number {
    return this.#ids.length;
  }

  /** Takes the next tokens; those after the end are ignored. */
  push(ids: Iterable<number>): void {
    for (const id of ids) {
      if (this.#ended) return;
      if (this.#limits.endIds.has(id)) {
        this.#ended = true;
        return;
      }
      this.#ids.push(id);
      this.#text = this.#tokenizer.decode(this.#ids);
      this.#ended = this.#ids.length >= this.#limits.maxTokens || containsStop(this.#text, this.#limits.until);
    }
  }

  /** The text, cut before the first stop string. */
  get text(): string {
    return truncateAtStop(this.#text, this.#limits.until);
  }

  /**
   * The part of the text that will not change: without a tail that may become a stop string, and without the
   * replacement characters of a UTF-8 sequence that is not complete yet. The whole text once it has ended.
   */
  get settled(): string {
    if (this.#ended) return this.text;
    const text = this.#text.replace(/\ufffd+$/, "");
    let held = 0;
    for (const stop of this.#limits.until) {
      for (let length = Math.min(stop.length - 1, text.length); length > held; length--) {
        if (text.endsWith(stop.slice(0, length))) held = length;
      }
    }
    return text.slice(0, text.length - held);
  }
}
