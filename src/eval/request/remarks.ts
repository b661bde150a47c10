/** What is to be said of a task's requests and documents: prompts that were cut, documents with something wrong. */
import { counted } from "../../errors/counted.ts";
import type { Cut } from "../../language_model/request_encoding.ts";
import type { DocumentProblem, LocatedProblem } from "../data/document_problem.ts";
import type { RequestCut } from "./sample.ts";

export interface ProblemCount {
  kind: DocumentProblem["kind"];
  /** Whose problem it is. */
  of: "documents" | "examples";
  count: number;
  first: LocatedProblem;
}

/** Requests that were longer than the model's context. */
export interface Truncation {
  requests: number;
  /** Of all of the task. */
  total: number;
  documents: number;
  maxLength: number;
  /** The cut that took most tokens. */
  largest: Cut;
  /** Documents that lost examples, and the most that one lost. */
  examples: { documents: number; most: number };
}

export interface TaskRemarks {
  truncation: Truncation | null;
  problems: readonly ProblemCount[];
}

/** A document as it was prepared. */
export interface PreparedDocument {
  place: string;
  requests: number;
  cuts: readonly RequestCut[];
  examplesLost: number;
  problems: readonly DocumentProblem[];
}

function truncationOf(documents: readonly PreparedDocument[], maxLength: number): Truncation | null {
  const cut = documents.filter(({ cuts }) => cuts.length > 0);
  if (cut.length === 0) return null;
  const cuts = cut.flatMap(({ cuts }) => cuts);
  const lost = cut.filter(({ examplesLost }) => examplesLost > 0).map(({ examplesLost }) => examplesLost);
  return {
    requests: cuts.length,
    total: documents.reduce((sum, { requests }) => sum + requests, 0),
    documents: cut.length,
    maxLength,
    largest: cuts.reduce((largest, one) => (one.tokens > largest.tokens ? one : largest)),
    examples: { documents: lost.length, most: lost.reduce((most, count) => Math.max(most, count), 0) },
  };
}

function countsOf(of: ProblemCount["of"], problems: readonly LocatedProblem[]): ProblemCount[] {
  return (["label", "field", "token"] as const).flatMap((kind) => {
    const ofKind = problems.filter((problem) => problem.kind === kind);
    const count = new Set(ofKind.map(({ place }) => place)).size;
    return count === 0 ? [] : [{ kind, of, count, first: ofKind[0] }];
  });
}

/** @param examples what is wrong with the examples that stand in the prompts */
export function taskRemarks(
  documents: readonly PreparedDocument[],
  examples: readonly LocatedProblem[],
  maxLength: number,
): TaskRemarks {
  const problems = documents.flatMap(({ place, problems }) => problems.map((problem) => ({ ...problem, place })));
  return {
    truncation: truncationOf(documents, maxLength),
    problems: [...countsOf("documents", problems), ...countsOf("examples", examples)],
  };
}

const meanings: Readonly<Record<DocumentProblem["kind"], string>> = {
  label: "with a label that is none of the choices",
  field: "without a field that the prompt shows (as None)",
  token: "with an answer without a token (its log-likelihood counts as 0)",
};

function truncationLine({ requests, total, maxLength, largest, examples }: Truncation): string {
  const { context, continuation, tokens } = largest;
  const lost =
    examples.documents === 0
      ? ""
      : `; few-shot examples are lost in ${counted(examples.documents, "document")}, up to ${examples.most} of them`;
  return (
    `${requests} of ${total} requests do not fit: combined length of context (${context}) and continuation ` +
    `(${continuation}) exceeds model's maximum length (${maxLength}): truncating up to ${tokens} tokens from the left${lost}`
  );
}

/** One line for each kind. */
export function remarkLines(task: string, { truncation, problems }: TaskRemarks): string[] {
  return [
    ...(truncation === null ? [] : [truncationLine(truncation)]),
    ...problems.map(
      ({ kind, of, count, first }) =>
        `${count} ${count === 1 ? of.slice(0, -1) : of} ${meanings[kind]}, first ${first.place}: ${first.message}`,
    ),
  ].map((line) => `${task}: ${line}`);
}
