/** A LanguageModel that looks into a cache of answers first, and keeps every new answer as soon as there is one. */

import type {
  CallOptions,
  GenerateRequest,
  LanguageModel,
  LoglikelihoodRequest,
  LoglikelihoodResult,
} from "../../language_model/language_model.ts";
import { type AnswerCache, answerKey, type CachedAnswer } from "./answer_cache.ts";

export class CachedLanguageModel implements LanguageModel {
  readonly name: string;
  readonly tokenizer: LanguageModel["tokenizer"];
  readonly maxLength: number;
  readonly facts: LanguageModel["facts"];
  /** Requests that the cache answered. */
  hits = 0;
  private readonly model: LanguageModel;
  private readonly cache: AnswerCache;
  private readonly identity: string;

  /** @param identity what the answers depend on besides the request: the bytes of the model, or its address */
  constructor(model: LanguageModel, cache: AnswerCache, identity: string) {
    this.name = model.name;
    this.tokenizer = model.tokenizer;
    this.maxLength = model.maxLength;
    this.facts = model.facts;
    this.model = model;
    this.cache = cache;
    this.identity = identity;
  }

  loglikelihood(
    requests: readonly LoglikelihoodRequest[],
    options: CallOptions<LoglikelihoodResult> = {},
  ): Promise<LoglikelihoodResult[]> {
    // Lists of likely tokens are large and asked for once: they are not kept.
    if (requests.some(({ top = 0 }) => top > 0)) return this.model.loglikelihood(requests, options);
    const keys = requests.map(({ context, continuation }) =>
      answerKey(this.identity, ["loglikelihood", context, continuation]),
    );
    return this.answer(requests, keys, options, (asked, inner) => this.model.loglikelihood(asked, inner));
  }

  generateUntil(requests: readonly GenerateRequest[], options: CallOptions<string> = {}): Promise<string[]> {
    const keys = requests.map(({ context, until, maxTokens, temperature = 0, topK, topP, minP, seed }) => {
      // A greedy answer does not depend on how it would have been drawn.
      const drawn =
        temperature > 0 ? [temperature, topK ?? null, topP ?? null, ...(minP ? [minP] : []), seed ?? 0] : [];
      return answerKey(this.identity, ["generate", context, until, maxTokens, ...drawn]);
    });
    return this.answer(requests, keys, options, (asked, inner) => this.model.generateUntil(asked, inner));
  }

  stream(...call: Parameters<LanguageModel["stream"]>): ReturnType<LanguageModel["stream"]> {
    return this.model.stream(...call);
  }

  dispose(): void {
    this.cache.close();
    this.model.dispose();
  }

  /** Asks the model only what the cache does not know; equal requests once. */
  private async answer<Request, Answer extends CachedAnswer>(
    requests: readonly Request[],
    keys: readonly string[],
    { signal, onDone, onAnswer }: CallOptions<Answer>,
    ask: (requests: Request[], options: CallOptions<Answer>) => Promise<Answer[]>,
  ): Promise<Answer[]> {
    const places = new Map<string, number[]>();
    keys.forEach((key, index) => {
      const known = this.cache.get(key);
      if (known !== undefined) {
        this.hits++;
        onAnswer?.(index, known as Answer);
      } else if (places.has(key)) places.get(key)!.push(index);
      else places.set(key, [index]);
    });
    const asked = [...places.values()];
    const found = requests.length - asked.reduce((sum, { length }) => sum + length, 0);
    if (found > 0) onDone?.(found);
    if (asked.length > 0) {
      // Twins of a request are counted with the last of those that are asked.
      const report = (count: number) => onDone?.(count === asked.length ? requests.length : found + count);
      const answers = await ask(
        asked.map(([first]) => requests[first]),
        {
          signal,
          onDone: report,
          onAnswer: (index, answer) => {
            this.cache.add(keys[asked[index][0]], answer);
            for (const place of asked[index]) onAnswer?.(place, answer);
          },
        },
      );
      answers.forEach((answer, index) => {
        this.cache.add(keys[asked[index][0]], answer);
      });
    }
    return keys.map((key) => this.cache.get(key) as Answer);
  }
}
