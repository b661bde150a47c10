/** One continuation: its log-likelihood, and whether greedy decoding would give it. */

import type { LoglikelihoodRequest, LoglikelihoodResult } from "../../language_model/language_model.ts";
import type { RequestEncoder } from "../../language_model/request_encoding.ts";
import { pythonStr } from "../../python/values.ts";
import type { DocumentReader } from "../data/document_reader.ts";
import type { Task } from "../task/task.ts";
import { encodePairs } from "./pairs.ts";
import { type PendingSample, type PromptedDocument, samplesOfFilters } from "./sample.ts";

export function prepareContinuation(
  { docId, document, context }: PromptedDocument,
  task: Task,
  reader: DocumentReader,
  encoder: RequestEncoder,
): PendingSample<LoglikelihoodRequest, LoglikelihoodResult> {
  const target = pythonStr(reader.target(document));
  const before = String(context);
  const names = new Set(task.metrics.map(({ name }) => name));
  const { requests, cuts, problems, answers } = encodePairs([[before, target]], encoder);
  return {
    requests,
    cuts,
    problems: problems.map((message) => ({ kind: "token", message })),
    judge(results) {
      const [{ logprob, isGreedy }] = answers(results);
      const answer = [logprob, isGreedy];
      const metrics = task.processResults?.(document, [answer]) ?? {
        ...(names.has("perplexity") && { perplexity: logprob }),
        ...(names.has("acc") && { acc: Number(isGreedy) }),
      };
      return samplesOfFilters(task, [answer], { docId, document, target, arguments: [[before, target]], metrics });
    },
  };
}
