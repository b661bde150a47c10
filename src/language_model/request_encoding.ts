/**
 * From text to the ids of a request, by lm-evaluation-harness 0.4's rules (`api/model.py`, `models/huggingface.py`):
 * joint encoding of context and continuation, BOS only where the tokenizer adds it and never twice, truncation on
 * the left.
 */

import { rstrip } from "../python/whitespace.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { LoglikelihoodRequest } from "./language_model.ts";
import { RequestError } from "./request_error.ts";

/** A context that did not fit: what was to be there, in tokens, and how many of them were cut from its left. */
export interface Cut {
  context: number;
  /** Of the continuation, or to be generated. */
  continuation: number;
  tokens: number;
}

/** There is no token to score. */
export class NoTokenError extends RequestError {
  override name = "NoTokenError";
}

export class RequestEncoder {
  private readonly tokenizer: Tokenizer;
  readonly maxLength: number;
  /** Text of the BOS token where the tokenizer has one, of EOS otherwise: text that starts with it gets no BOS. */
  private readonly prefixText: string;
  /** Stands before a text without context: BOS, or EOS where there is no BOS. */
  readonly prefixToken: number;
  /** Text of the EOS token: a stop string of every generation. Null if the tokenizer has none. */
  readonly endOfText: string | null;

  /** @throws {RequestError} if the tokenizer has neither BOS nor EOS. */
  constructor(tokenizer: Tokenizer, maxLength: number) {
    const prefix = tokenizer.bosTokenId ?? tokenizer.eosTokenId;
    if (prefix === null) throw new RequestError("the tokenizer has neither a BOS nor an EOS token");
    this.tokenizer = tokenizer;
    this.maxLength = maxLength;
    this.prefixToken = prefix;
    this.prefixText = this.specialText(prefix);
    this.endOfText = tokenizer.eosTokenId === null ? null : this.specialText(tokenizer.eosTokenId);
  }

  /**
   * @param onCut hears of tokens that had to be cut from the left of the context
   * @throws {NoTokenError} if there is no token to score, {RequestError} if there are more than the model has positions.
   */
  encodePair(context: string, continuation: string, onCut?: (cut: Cut) => void): LoglikelihoodRequest {
    const pair =
      rstrip(context) === "" ? this.encodeAlone(context + continuation) : this.encodeJointly(context, continuation);
    const scored = pair.continuation.length;
    if (scored === 0) throw new NoTokenError(`no token to score in the continuation ${JSON.stringify(continuation)}`);
    if (scored > this.maxLength) {
      throw new RequestError(`a continuation of ${scored} tokens does not fit the context of ${this.maxLength}`);
    }
    const keptContext = this.maxLength + 1 - scored;
    const tokens = pair.context.length - keptContext;
    if (tokens > 0) onCut?.({ context: pair.context.length, continuation: scored, tokens });
    return { context: pair.context.slice(-keptContext), continuation: pair.continuation };
  }

  /** Windows of at most maxLength positions that score every token of `text` once; the prefix token goes first. */
  encodeRolling(text: string): LoglikelihoodRequest[] {
    return rollingWindows(this.encode(text), this.prefixToken, { context: this.maxLength, stride: this.maxLength });
  }

  /**
   * The same in windows of another size and distance, of the tokens that the text itself has: BOS goes before it, but is
   * not scored.
   */
  encodeWindows(text: string, windows: Windows): LoglikelihoodRequest[] {
    const ids = this.tokenizer.encode(text, { addSpecialTokens: false });
    return rollingWindows(ids, this.prefixToken, windows);
  }

  /**
   * The last ids of `context` that leave room for `maxTokens`.
   * @param onCut hears of tokens that had to be cut from its left
   * @throws {RequestError} if there is no such room.
   */
  encodeGeneration(context: string, maxTokens: number, onCut?: (cut: Cut) => void): number[] {
    const room = this.maxLength - maxTokens;
    if (room <= 0) {
      throw new RequestError(
        `max_gen_toks (${maxTokens}) must be less than the model's maximum length (${this.maxLength})`,
      );
    }
    const ids = this.encodePrompt(context);
    if (ids.length > room) onCut?.({ context: ids.length, continuation: maxTokens, tokens: ids.length - room });
    return ids.slice(-room);
  }

  /** All ids of a text to continue: at least the prefix token. */
  encodePrompt(text: string): number[] {
    const ids = this.encode(text);
    return ids.length === 0 ? [this.prefixToken] : ids;
  }

  /** Ids of a part of a text. */
  countTokens(text: string): number {
    return this.tokenizer.encode(text, { addSpecialTokens: false }).length;
  }

  private encode(text: string): number[] {
    return this.tokenizer.encode(text, { addSpecialTokens: !text.startsWith(this.prefixText) });
  }

  private encodeAlone(continuation: string): LoglikelihoodRequest {
    const ids = this.tokenizer.encode(continuation, { addSpecialTokens: false });
    return ids[0] === this.prefixToken
      ? { context: ids.slice(0, 1), continuation: ids.slice(1) }
      : { context: [this.prefixToken], continuation: ids };
  }

  /** Trailing spaces of the context belong to the first word of the continuation. */
  private encodeJointly(context: string, continuation: string): LoglikelihoodRequest {
    const alone = this.encode(rstrip(context));
    return { context: alone, continuation: this.encode(context + continuation).slice(alone.length) };
  }

  private specialText(id: number): string {
    return this.tokenizer.decode([id], { skipSpecialTokens: false });
  }
}

/** How a long text is cut: positions of a window, and how many tokens each one scores after the first, at most `context`. */
export interface Windows {
  context: number;
  stride: number;
}

/**
 * `get_rolling_token_windows` of lm-evaluation-harness with `context_len` = context - stride + 1: the first window scores
 * as many tokens as it holds, every other one the next `stride`, given as much as still fits before them.
 */
export function rollingWindows(
  ids: readonly number[],
  prefix: number,
  { context, stride }: Windows,
): LoglikelihoodRequest[] {
  if (ids.length === 0) return [];
  const first = ids.slice(0, context);
  const windows: LoglikelihoodRequest[] = [{ context: [prefix], continuation: first }];
  for (let scored = first.length; scored < ids.length; ) {
    const end = Math.min(ids.length, scored + stride);
    // At least the one token before.
    windows.push({ context: ids.slice(end - context - 1, scored), continuation: ids.slice(scored, end) });
    scored = end;
  }
  return windows;
}
