/** Generated answers: filtered and compared with the target. */
import type { DocumentReader } from "./document_reader.ts";
import type { GenerateRequest } from "./language_model.ts";
import { pythonStr } from "./python/values.ts";
import type { RequestEncoder } from "./request_encoding.ts";
import type { Metrics, PendingSample, PromptedDocument, SampleMetric } from "./sample.ts";
import { truncateAtStop } from "./stop_strings.ts";
import type { GenerationKwargs, Task } from "./task.ts";

/** lm-evaluation-harness's default for tasks that name no limit. */
export const defaultMaxTokens = 256;

export interface GenerationSettings {
  kwargs: GenerationKwargs;
  seed: number;
  /** Keep the answers, judge nothing. */
  predictOnly: boolean;
}

/** Temperature that the settings mean: without `do_sample` they are greedy, unless only a temperature is given. */
function temperatureOf({ do_sample, temperature = 0 }: GenerationKwargs): number {
  return do_sample === false ? 0 : temperature;
}

export function prepareProblem(
  { docId, document, context }: PromptedDocument,
  task: Task,
  reader: DocumentReader,
  { kwargs, seed, predictOnly }: GenerationSettings,
  encoder: RequestEncoder,
): PendingSample<GenerateRequest, string> {
  const target = reader.target(document);
  const references = referencesOf(target, document, reader);
  const before = String(context);
  const maxTokens = kwargs.max_gen_toks ?? defaultMaxTokens;
  const { endOfText } = encoder;
  const until = endOfText === null || kwargs.until.includes(endOfText) ? kwargs.until : [...kwargs.until, endOfText];
  const request: GenerateRequest = {
    context: encoder.encodeGeneration(before, maxTokens),
    until,
    maxTokens,
    temperature: temperatureOf(kwargs),
    topK: kwargs.top_k,
    topP: kwargs.top_p,
    // Each document draws from a stream of its own, so results do not depend on batches.
    seed: seed + docId,
  };
  return {
    requests: [request],
    async judge([generated]) {
      const response = truncateAtStop(generated, until);
      return Promise.all(
        task.filters.map(async (filter) => {
          const answer = filter.apply(response, document);
          const judged = predictOnly ? { bypass: null } : await judgeAnswer(task, document, answer, references);
          return {
            docId,
            document,
            target,
            arguments: [[before, kwargs]],
            responses: [[response]],
            filteredResponses: [answer],
            filter: filter.name,
            metrics: judged,
          };
        }),
      );
    },
  };
}

/** Texts of which one must be given; a number is the index of a choice. */
function referencesOf(target: unknown, document: PromptedDocument["document"], reader: DocumentReader): string[] {
  const choices = reader.choices(document);
  const isList = reader.hasSeveralTargets && Array.isArray(target);
  return (isList ? target : [target]).map((entry) =>
    choices !== null && typeof entry === "number" ? choices[entry] : pythonStr(entry),
  );
}

async function judgeAnswer(
  task: Task,
  document: PromptedDocument["document"],
  answer: unknown,
  references: readonly string[],
): Promise<Metrics> {
  if (task.processResults) return task.processResults(document, [answer]);
  const metrics: Record<string, SampleMetric> = {};
  for (const { name, exactMatch, custom } of task.metrics) {
    if (exactMatch) metrics[name] = references.some((reference) => exactMatch(pythonStr(answer), reference)) ? 1 : 0;
    if (custom) Object.assign(metrics, await custom.call(answer, references[0], custom.ks));
  }
  return metrics;
}
