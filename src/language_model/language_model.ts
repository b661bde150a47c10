/**
 * What evaluation needs of a language model: lm-evaluation-harness's three calls, on token ids. Text, BOS rules,
 * truncation and stop strings are handled by the evaluator, so every implementation scores the same requests.
 */
import type { Tokenizer } from "../tokenizer/tokenizer.ts";

export interface LoglikelihoodRequest {
  /** At least one id (the evaluator supplies the prefix token when the context is empty). */
  context: readonly number[];
  /** At least one id; context + continuation has at most maxLength + 1 ids. */
  continuation: readonly number[];
}

export interface LoglikelihoodResult {
  /** Sum of the natural log-probabilities of the continuation's ids. */
  logprob: number;
  /** Each continuation id was the arg max (first one on a tie). */
  isGreedy: boolean;
  /** float32 log-probability of each continuation id. */
  tokenLogprobs: Float32Array;
}

export interface GenerateRequest {
  context: readonly number[];
  /** Generation ends before the first of these strings appears in the generated text. */
  until: readonly string[];
  maxTokens: number;
  /** 0 or absent: greedy. */
  temperature?: number;
  topK?: number;
  topP?: number;
  seed?: number;
}

/** Hears an answer as soon as it is final, in any order: a cache keeps it even if the run ends early. */
export type OnAnswer<Answer> = (index: number, answer: Answer) => void;

export interface LanguageModel {
  /** For reports: a file name or checkpoint directory. */
  readonly name: string;
  readonly tokenizer: Tokenizer;
  /** Largest number of positions. */
  readonly maxLength: number;
  /** Free facts for the report (backend, isa, threads, parameters, bytes ...). */
  readonly info: Record<string, string | number>;
  /** `onDone` hears the number of requests done so far. @throws the signal's reason when it aborts. */
  loglikelihood(
    requests: readonly LoglikelihoodRequest[],
    onDone?: (count: number) => void,
    signal?: AbortSignal,
    onAnswer?: OnAnswer<LoglikelihoodResult>,
  ): Promise<LoglikelihoodResult[]>;
  /** Generated text of each request, cut before the stop string. End-of-sequence ids end it too. */
  generateUntil(
    requests: readonly GenerateRequest[],
    onDone?: (count: number) => void,
    signal?: AbortSignal,
    onAnswer?: OnAnswer<string>,
  ): Promise<string[]>;
  /**
   * One text as it is generated, in pieces that never change afterwards. `onTokens` hears the number of tokens so far.
   * @throws the signal's reason when it aborts.
   */
  stream(
    request: GenerateRequest,
    signal?: AbortSignal,
    onTokens?: (count: number) => void,
  ): AsyncGenerator<string, void>;
  dispose(): void;
}
