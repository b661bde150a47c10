/** What evaluation keeps of one document: the requests made for it, the answers, and the metrics. */
import type { JsonObject } from "./document.ts";

/**
 * A metric of one sample: a number to average, a log-likelihood with the number of words or bytes it covers, or several
 * judgements of one answer; null where nothing is judged (`--predict_only`).
 */
export type SampleMetric = number | readonly [logLikelihood: number, weight: number] | readonly boolean[] | null;

export type Metrics = Readonly<Record<string, SampleMetric>>;

export interface Sample {
  docId: number;
  document: JsonObject;
  target: unknown;
  /** Text of each request: context and continuation, context and generation settings, or the text alone. */
  arguments: readonly (readonly unknown[])[];
  /** Answers to each request: a list of one, because a request is made once. */
  responses: readonly (readonly unknown[])[];
  /** The answers after the filter. */
  filteredResponses: readonly unknown[];
  filter: string;
  metrics: Metrics;
}

/** A test document with its prompt. */
export interface PromptedDocument {
  docId: number;
  document: JsonObject;
  /** Examples and question; one for each choice where the choices stand in the context. */
  context: string | readonly string[];
}

/** Requests of one document and how to judge the answers. */
export interface PendingSample<Request, Response> {
  requests: Request[];
  /** One sample for each filter. */
  judge(responses: readonly Response[]): Sample[] | Promise<Sample[]>;
}
