/** How log-likelihoods are asked of a completions server: `echo_scoring.ts`, or `forced_scoring.ts` where there is no echo. */
import type { LoglikelihoodRequest, LoglikelihoodResult } from "../language_model.ts";

export interface CompletionsScoring {
  /** Indices of `order` in runs that are asked one after the other. */
  batches(requests: readonly LoglikelihoodRequest[], order: readonly number[]): number[][];
  /** Whether the server scores as it is asked to. @throws {ServerError} if not */
  check(requests: readonly LoglikelihoodRequest[], order: readonly number[], signal?: AbortSignal): Promise<void>;
  /** `onScore` hears each result, by its place in the batch. @throws {ServerError}, or the signal's reason. */
  score(
    batch: readonly LoglikelihoodRequest[],
    signal: AbortSignal,
    onScore: (place: number, result: LoglikelihoodResult) => void,
  ): Promise<void>;
}

/** Runs of requests with the same context in `order`: asked one after the other, its context is run once. */
export function sameContext(requests: readonly LoglikelihoodRequest[], order: readonly number[]): number[][] {
  const runs: number[][] = [];
  let last: readonly number[] | undefined;
  for (const index of order) {
    const { context } = requests[index];
    if (context.length === last?.length && context.every((id, i) => id === last![i])) runs.at(-1)!.push(index);
    else runs.push([index]);
    last = context;
  }
  return runs;
}
