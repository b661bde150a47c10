/** What completions and chats have in common: several answers at once, their seeds, their reasons to end, their counts. */
import { randomInt } from "node:crypto";
import type { GenerateOptions, Generation } from "../../src/language_model/generation.ts";
import type { ApiMetrics } from "./metrics.ts";
import type { ServedModel } from "./served_model.ts";

export interface SamplingFields {
  temperature?: number | null;
  top_p?: number | null;
  top_k?: number | null;
  min_p?: number | null;
  seed?: number | null;
  stop?: string | readonly string[] | null;
}

/** Answer `index` of a request draws with the seed of the request plus its index. */
export function generateOptions(
  { temperature, top_p, top_k, min_p, seed, stop }: SamplingFields,
  base: number,
  index: number,
): GenerateOptions {
  return {
    temperature: temperature ?? 1,
    topP: top_p ?? 1,
    topK: top_k ?? 0,
    minP: min_p ?? 0,
    seed: (seed === undefined || seed === null ? base : Math.abs(seed)) + index,
    stop: typeof stop === "string" ? [stop] : (stop ?? []),
  };
}

/** For requests without a seed. */
export const drawnSeed = () => randomInt(2 ** 31);

export type FinishReason = "stop" | "length";

/** OpenAI's word for why a text ended. */
export function finishReason({ stopReason }: Generation): FinishReason {
  return stopReason === "eos" || stopReason === "stop" ? "stop" : "length";
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details: { cached_tokens: number };
}

/** A prompt that several answers continue counts once. */
export function usageOf(prompts: readonly (readonly number[])[], generations: readonly Generation[]): Usage {
  const prompt_tokens = prompts.reduce((sum, { length }) => sum + length, 0);
  const completion_tokens = generations.reduce((sum, { usage }) => sum + usage.generatedTokens, 0);
  const cached_tokens = generations.reduce((sum, { usage }) => sum + usage.cachedTokens, 0);
  return {
    prompt_tokens,
    completion_tokens,
    total_tokens: prompt_tokens + completion_tokens,
    prompt_tokens_details: { cached_tokens: Math.min(cached_tokens, prompt_tokens) },
  };
}

/** A piece of one of the answers. */
export interface ChoicePiece {
  index: number;
  id: number;
  text: string;
  /** This was the last piece. */
  ended: boolean;
}

/** Pieces of all answers as they come. */
export async function* mergedPieces(generations: readonly Generation[]): AsyncGenerator<ChoicePiece, void> {
  const iterators = generations.map((generation) => generation[Symbol.asyncIterator]());
  const next = async (index: number) => ({ index, result: await iterators[index].next() });
  const pending = new Map(iterators.map((_, index) => [index, next(index)]));
  try {
    while (pending.size > 0) {
      const { index, result } = await Promise.race(pending.values());
      if (result.done) {
        pending.delete(index);
        continue;
      }
      const { id, text } = result.value;
      yield { index, id, text, ended: generations[index].stopReason !== null };
      pending.set(index, next(index));
    }
  } finally {
    // The others end with the first that fails, or with the reader.
    for (const promise of pending.values()) promise.catch(() => {});
    await Promise.allSettled(iterators.map((iterator) => iterator.return(undefined)));
  }
}

/** What has been drawn is counted, whether or not the answer came to its end. */
export function countTokens(metrics: ApiMetrics, { id }: ServedModel, generations: readonly Generation[]): void {
  for (const { usage } of generations) {
    metrics.promptTokens.inc({ model: id }, usage.promptTokens);
    metrics.cachedTokens.inc({ model: id }, usage.cachedTokens);
    metrics.generatedTokens.inc({ model: id }, usage.generatedTokens);
  }
}

/** Runs all answers to their ends, or none, and counts. */
export async function finishAll(
  metrics: ApiMetrics,
  served: ServedModel,
  generations: readonly Generation[],
): Promise<void> {
  try {
    for await (const _ of mergedPieces(generations));
  } finally {
    countTokens(metrics, served, generations);
  }
}
