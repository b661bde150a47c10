/** What evaluation keeps of one document: the requests made for it, the answers, and the metrics. */
import type { JsonObject } from "../../data/document.ts";
import type { Cut } from "../../language_model/request_encoding.ts";
import type { DocumentProblem } from "../data/document_problem.ts";
import type { Metrics } from "../schema/sample_metric.ts";
import type { Task } from "../task/task.ts";

/** A request whose context was cut to fit. */
export interface RequestCut extends Cut {
  /** Its place among the document's requests. */
  request: number;
}

export interface Sample {
  docId: number;
  document: JsonObject;
  target: unknown;
  /** Text of each request: context and continuation, context and generation settings, or the text alone. */
  arguments: readonly (readonly unknown[])[];
  /** Answers to each request, as many as the task repeats it. */
  responses: readonly (readonly unknown[])[];
  /** The answer to each request after the filter; a list where the filter leaves several. */
  filteredResponses: readonly unknown[];
  filter: string;
  metrics: Metrics;
  cuts?: readonly RequestCut[];
  /** The most examples that one of its requests lost by the cut. */
  examplesLost?: number;
  problems?: readonly DocumentProblem[];
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
  cuts: readonly RequestCut[];
  problems: readonly DocumentProblem[];
  /** One sample for each filter. */
  judge(responses: readonly Response[]): Sample[] | Promise<Sample[]>;
}

/** Samples of requests whose answers do not change when they are repeated: every filter takes the same. */
export function samplesOfFilters(
  { filters, repeats }: Task,
  answers: readonly unknown[],
  sample: Omit<Sample, "responses" | "filteredResponses" | "filter">,
): Sample[] {
  const responses = answers.map((answer) => new Array(repeats).fill(answer));
  return filters.map(({ name }) => ({ ...sample, responses, filteredResponses: answers, filter: name }));
}
