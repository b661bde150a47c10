/** Whole texts: every token is scored once, in windows of the model's context. */
import type { LoglikelihoodRequest, LoglikelihoodResult } from "./language_model.ts";
import { countWords } from "./python_whitespace.ts";
import type { RequestEncoder } from "./request_encoding.ts";
import type { PendingSample, PromptedDocument } from "./sample.ts";

export function prepareText(
  { docId, document }: PromptedDocument,
  text: string,
  encoder: RequestEncoder,
): PendingSample<LoglikelihoodRequest, LoglikelihoodResult> {
  return {
    requests: encoder.encodeRolling(text),
    judge(results) {
      const logLikelihood = results.reduce((sum, result) => sum + result.logprob, 0);
      const words = countWords(text);
      const bytes = Buffer.byteLength(text);
      return [
        {
          docId,
          document,
          target: text,
          arguments: [[text]],
          responses: [[logLikelihood]],
          filteredResponses: [logLikelihood],
          filter: "none",
          metrics: {
            word_perplexity: [logLikelihood, words],
            byte_perplexity: [logLikelihood, bytes],
            bits_per_byte: [logLikelihood, bytes],
          },
        },
      ];
    },
  };
}
