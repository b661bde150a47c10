/**
 * What evaluation and the commands need of a language model: lm-evaluation-harness's calls, on token ids. Text, BOS rules
 * and truncation are handled by the caller, so every implementation scores the same requests.
 */
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { ModelFacts } from "./model_facts.ts";
import type { SamplingOptions } from "./sampling.ts";

export interface LoglikelihoodRequest {
  /** At least one id (the evaluator supplies the prefix token when the context is empty). */
  context: readonly number[];
  /** At least one id; context + continuation has at most maxLength + 1 ids. */
  continuation: readonly number[];
  /** So many of the likeliest tokens are told at each place of the continuation, too; default none. */
  top?: number;
}

/** A token that could have stood at a place. */
export interface LikelyToken {
  /** Null where a server tells only its text, and several tokens have that. */
  id: number | null;
  text: string;
  /** float32 natural log-probability. */
  logprob: number;
}

export interface LoglikelihoodResult {
  /** Sum of the natural log-probabilities of the continuation's ids. */
  logprob: number;
  /** Each continuation id was the arg max (first one on a tie). */
  isGreedy: boolean;
  /** float32 log-probability of each continuation id. */
  tokenLogprobs: Float32Array;
  /** The likeliest tokens at the place of each continuation id, likeliest first; only where they were asked for. */
  top?: LikelyToken[][];
}

/** A context to continue, and how tokens are drawn. */
export interface GenerateRequest extends SamplingOptions {
  context: readonly number[];
  /** Generation ends before the first of these strings appears in the generated text. */
  until: readonly string[];
  maxTokens: number;
}

/**
 * Why a text ended: an end-of-text token, a stop string, the number of tokens asked for, or the model's context, which
 * is full.
 */
export type StopReason = "eos" | "stop" | "length" | "context";

/** A part of a text that is being generated. */
export interface GeneratedPiece {
  /** Text that is final with it, maybe "". */
  text: string;
  /** The token drawn, the one that ended the text included; where that is known. */
  id?: number;
  /** Tokens of the text so far, the one that ended it left out. */
  tokens: number;
  /** Why the text ended; null before the last piece, and where a server does not tell. */
  end: StopReason | null;
}

/** How a call is watched and ended. */
export interface CallOptions<Answer> {
  /** The call throws the signal's reason when it aborts. */
  signal?: AbortSignal;
  /** Hears the number of requests that are done so far. */
  onDone?(count: number): void;
  /** Hears an answer as soon as it is final, in any order: a cache keeps it even if the run ends early. */
  onAnswer?(index: number, answer: Answer): void;
}

export interface LanguageModel {
  /** For reports: a file name, checkpoint directory or address. */
  readonly name: string;
  readonly tokenizer: Tokenizer;
  /** Largest number of positions. */
  readonly maxLength: number;
  readonly facts: ModelFacts;
  loglikelihood(
    requests: readonly LoglikelihoodRequest[],
    options?: CallOptions<LoglikelihoodResult>,
  ): Promise<LoglikelihoodResult[]>;
  /** Generated text of each request, cut before the stop string. End-of-text ids end it too. */
  generateUntil(requests: readonly GenerateRequest[], options?: CallOptions<string>): Promise<string[]>;
  /** One text as it is generated, in pieces that never change afterwards: one for each token, where that is known. */
  stream(request: GenerateRequest, options?: Pick<CallOptions<never>, "signal">): AsyncGenerator<GeneratedPiece, void>;
  dispose(): void;
}
