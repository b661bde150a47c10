/** Requests of texts and their continuations, and what had to be done to make them fit. */
import type { LoglikelihoodRequest, LoglikelihoodResult } from "../../language_model/language_model.ts";
import { NoTokenError, type RequestEncoder } from "../../language_model/request_encoding.ts";
import type { RequestCut } from "./sample.ts";

export interface EncodedPairs {
  requests: LoglikelihoodRequest[];
  cuts: RequestCut[];
  /** What is wrong with the continuations, one line each. */
  problems: string[];
  /** The answer to each pair, from those to the requests. */
  answers(results: readonly LoglikelihoodResult[]): LoglikelihoodResult[];
}

/** A continuation without a token is certain: its log-likelihood is an empty sum. */
const certain: LoglikelihoodResult = { logprob: 0, isGreedy: true, tokenLogprobs: new Float32Array(0) };

/** @throws {RequestError} for a continuation that is longer than the model's context. */
export function encodePairs(pairs: readonly (readonly [string, string])[], encoder: RequestEncoder): EncodedPairs {
  const cuts: RequestCut[] = [];
  const problems: string[] = [];
  const requests = pairs.map(([context, continuation], request) => {
    try {
      return encoder.encodePair(context, continuation, (cut) => cuts.push({ ...cut, request }));
    } catch (error) {
      if (!(error instanceof NoTokenError)) throw error;
      problems.push(error.message);
      return null;
    }
  });
  return {
    requests: requests.filter((request) => request !== null),
    cuts,
    problems,
    answers(results) {
      let next = 0;
      return requests.map((request) => (request === null ? certain : results[next++]));
    },
  };
}
