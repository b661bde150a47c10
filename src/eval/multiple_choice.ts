/** Multiple choice: every choice is scored as the continuation of the same context. */
import type { LoglikelihoodRequest, LoglikelihoodResult } from "./language_model.ts";
import { likeliestChoice, likeliestChoicePerCharacter } from "./metrics.ts";
import type { RequestEncoder } from "./request_encoding.ts";
import type { PendingSample, PromptedDocument } from "./sample.ts";
import type { Question } from "./task.ts";

export function prepareQuestion(
  { docId, document, context }: PromptedDocument,
  { choices, gold }: Question,
  encoder: RequestEncoder,
): PendingSample<LoglikelihoodRequest, LoglikelihoodResult> {
  const continuations = choices.map((choice) => ` ${choice}`);
  return {
    requests: continuations.map((continuation) => encoder.encodePair(context, continuation)),
    judge(results) {
      const logLikelihoods = results.map((result) => result.logprob);
      const answers = results.map((result) => [result.logprob, result.isGreedy]);
      return [
        {
          docId,
          document,
          target: gold,
          arguments: continuations.map((continuation) => [context, continuation]),
          responses: answers.map((answer) => [answer]),
          filteredResponses: answers,
          filter: "none",
          metrics: {
            acc: likeliestChoice(logLikelihoods) === gold ? 1 : 0,
            acc_norm: likeliestChoicePerCharacter(logLikelihoods, choices) === gold ? 1 : 0,
          },
        },
      ];
    },
  };
}
