/** Text of generated tokens, and where it ends: stop strings are found across token boundaries. */
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { containsStop, truncateAtStop } from "./stop_strings.ts";

export interface TextLimits {
  until: readonly string[];
  maxTokens: number;
  /** Ids that end the text and are not part of it. */
  endIds: ReadonlySet<number>;
}

/** What ended a text: an end id, a stop string or the number of tokens. */
export type TextEnd = "eos" | "stop" | "length";

/** Tokens that are decoded again with each new one. */
const openTokens = 32;

/** True if the text of two parts is the text of both, once the first does not end inside a character. */
function decodesPiecewise({ json, config }: Tokenizer): boolean {
  const decoder = json.decoder as { type?: string } | null | undefined;
  return decoder?.type === "ByteLevel" && config?.clean_up_tokenization_spaces !== true;
}

export class GeneratedText {
  readonly #tokenizer: Tokenizer;
  readonly #limits: TextLimits;
  readonly #piecewise: boolean;
  #tokens = 0;
  /** Text of the tokens before {@link #open}. */
  #closedText = "";
  #open: number[] = [];
  #text = "";
  #end: TextEnd | null = null;

  constructor(tokenizer: Tokenizer, limits: TextLimits) {
    this.#tokenizer = tokenizer;
    this.#limits = limits;
    this.#piecewise = decodesPiecewise(tokenizer);
    if (limits.maxTokens <= 0) this.#end = "length";
  }

  /** Nothing that follows changes {@link text}. */
  get ended(): boolean {
    return this.#end !== null;
  }

  /** Null while it has not ended. */
  get end(): TextEnd | null {
    return this.#end;
  }

  /** Tokens taken so far. */
  get tokens(): number {
    return this.#tokens;
  }

  /** Takes the next tokens; those after the end are ignored. */
  push(ids: Iterable<number>): void {
    for (const id of ids) {
      if (this.ended) return;
      if (this.#limits.endIds.has(id)) {
        this.#end = "eos";
        return;
      }
      this.#append(id);
      if (containsStop(this.#text, this.#limits.until)) this.#end = "stop";
      else if (this.#tokens >= this.#limits.maxTokens) this.#end = "length";
    }
  }

  #append(id: number): void {
    this.#tokens++;
    this.#open.push(id);
    const text = this.#tokenizer.decode(this.#open);
    this.#text = this.#closedText + text;
    if (this.#piecewise && this.#open.length >= openTokens && !text.endsWith("\ufffd")) {
      this.#closedText = this.#text;
      this.#open = [];
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
    if (this.ended) return this.text;
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
