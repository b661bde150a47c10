/** Generated answers: filtered and compared with the target. */
import { applyFilter, exactMatch } from "./answer_filters.ts";
import type { GenerateRequest } from "./language_model.ts";
import type { RequestEncoder } from "./request_encoding.ts";
import type { PendingSample, PromptedDocument } from "./sample.ts";
import { truncateAtStop } from "./stop_strings.ts";
import type { GenerationKwargs, GenerationTask, Problem } from "./task.ts";

/** lm-evaluation-harness's default for tasks that name no limit. */
export const defaultMaxTokens = 256;

export function prepareProblem(
  { docId, document, context }: PromptedDocument,
  { target }: Problem,
  task: GenerationTask,
  settings: GenerationKwargs,
  seed: number,
  encoder: RequestEncoder,
): PendingSample<GenerateRequest, string> {
  const maxTokens = settings.max_gen_toks ?? defaultMaxTokens;
  const until = encoder.endOfText === null ? settings.until : [...settings.until, encoder.endOfText];
  const request: GenerateRequest = {
    context: encoder.encodeGeneration(context, maxTokens),
    until,
    maxTokens,
    temperature: settings.do_sample ? settings.temperature : 0,
    topK: settings.top_k,
    topP: settings.top_p,
    // Each document draws from a stream of its own, so results do not depend on batches.
    seed: seed + docId,
  };
  return {
    requests: [request],
    judge([generated]) {
      const response = truncateAtStop(generated, until);
      return task.filters.map((filter) => {
        const answer = applyFilter(filter, response);
        return {
          docId,
          document,
          target,
          arguments: [[context, settings]],
          responses: [[response]],
          filteredResponses: [answer],
          filter: filter.name,
          metrics: { exact_match: exactMatch(answer, target, task.ignored) },
        };
      });
    },
  };
}
