/** What evaluation keeps of one document: the requests made for it, the answers, and the metrics. */
import type { JsonObject } from "./task.ts";

/** A metric of one sample: a number to average, or a log-likelihood with the number of words or bytes it covers. */
export type SampleMetric = number | readonly [logLikelihood: number, weight: number];

export interface Sample {
  docId: number;
  document: JsonObject;
  target: string | number;
  /** Text of each request: context and continuation, context and generation settings, or the text alone. */
  arguments: readonly (readonly unknown[])[];
  /** Answers to each request: a list of one, because a request is made once. */
  responses: readonly (readonly unknown[])[];
  /** The answers after the filter. */
  filteredResponses: readonly unknown[];
  filter: string;
  metrics: Readonly<Record<string, SampleMetric>>;
}

/** A test document with its prompt. */
export interface PromptedDocument {
  docId: number;
  document: JsonObject;
  /** Examples and question. */
  context: string;
}

/** Requests of one document and how to judge the answers. */
export interface PendingSample<Request, Response> {
  requests: Request[];
  /** One sample for each filter. */
  judge(responses: readonly Response[]): Sample[];
}
