/** Whole texts: every token is scored once, in windows of the model's context. */

import type { LoglikelihoodRequest, LoglikelihoodResult } from "../../language_model/language_model.ts";
import type { RequestEncoder } from "../../language_model/request_encoding.ts";
import { pythonStr } from "../../python/values.ts";
import { countWords } from "../../python/whitespace.ts";
import type { DocumentReader } from "../data/document_reader.ts";
import type { Metrics } from "../schema/sample_metric.ts";
import type { Task } from "../task/task.ts";
import { type PendingSample, type PromptedDocument, samplesOfFilters } from "./sample.ts";

export function prepareText(
  { docId, document }: PromptedDocument,
  task: Task,
  reader: DocumentReader,
  encoder: RequestEncoder,
): PendingSample<LoglikelihoodRequest, LoglikelihoodResult> {
  const text = pythonStr(reader.target(document));
  return {
    requests: encoder.encodeRolling(text),
    cuts: [],
    problems: [],
    judge(results) {
      const logLikelihood = results.reduce((sum, result) => sum + result.logprob, 0);
      const metrics = task.processResults?.(document, [logLikelihood]) ?? textMetrics(text, logLikelihood, task);
      return samplesOfFilters(task, [logLikelihood], { docId, document, target: text, arguments: [[text]], metrics });
    },
  };
}

function textMetrics(text: string, logLikelihood: number, task: Task): Metrics {
  const bytes = Buffer.byteLength(text);
  const weights: Record<string, number> = {
    word_perplexity: countWords(text),
    byte_perplexity: bytes,
    bits_per_byte: bytes,
  };
  return Object.fromEntries(task.metrics.map(({ name }) => [name, [logLikelihood, weights[name]]]));
}
