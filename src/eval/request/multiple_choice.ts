/** Multiple choice: every choice is scored as the continuation of the context, or as the context of one continuation. */
import { append } from "../../arrays/large_arrays.ts";
import { DocumentError } from "../../data/document.ts";
import type { LoglikelihoodRequest, LoglikelihoodResult } from "../../language_model/language_model.ts";
import type { RequestEncoder } from "../../language_model/request_encoding.ts";
import { pythonStr } from "../../python/values.ts";
import type { DocumentReader } from "../data/document_reader.ts";
import type { Metrics, SampleMetric } from "../schema/sample_metric.ts";
import { likeliestChoice, likeliestChoicePerByte, likeliestChoicePerCharacter, softmax } from "../score/metrics.ts";
import type { Task } from "../task/task.ts";
import { encodePairs } from "./pairs.ts";
import { type PendingSample, type PromptedDocument, samplesOfFilters } from "./sample.ts";

/** A question whose choices are scored. */
interface ScoredQuestion {
  choices: readonly string[];
  /** Indices of the right choices. */
  gold: readonly number[];
  logLikelihoods: readonly number[];
  isGreedy: readonly boolean[];
  /** Log-likelihoods of the choices without context; empty unless the task asks for mutual information. */
  unconditional: readonly number[];
}

const isRight = ({ gold }: ScoredQuestion, index: number) => (gold.includes(index) ? 1 : 0);
const classPair = ({ gold, logLikelihoods }: ScoredQuestion) => [gold[0], likeliestChoice(logLikelihoods)] as const;

const choiceMetrics: Readonly<Record<string, (question: ScoredQuestion) => SampleMetric>> = {
  acc: (question) => isRight(question, likeliestChoice(question.logLikelihoods)),
  acc_norm: (question) => isRight(question, likeliestChoicePerCharacter(question.logLikelihoods, question.choices)),
  acc_bytes: (question) => isRight(question, likeliestChoicePerByte(question.logLikelihoods, question.choices)),
  acc_mutual_info: (question) => {
    const { logLikelihoods, unconditional } = question;
    return isRight(question, likeliestChoice(logLikelihoods.map((value, i) => value - unconditional[i])));
  },
  // Below 0 an index counts from the end, as in Python.
  exact_match: ({ gold, isGreedy }) => (gold.some((index) => isGreedy.at(index)) ? 1 : 0),
  f1: classPair,
  mcc: classPair,
  brier_score: ({ gold, logLikelihoods }) => [gold[0], softmax(logLikelihoods)],
};

/** Metrics of the one right choice. */
const ofOneChoice = ["f1", "mcc", "brier_score"];

/** @throws {DocumentError} if a metric is not defined for the question. */
function checkMetrics(names: readonly string[], choices: readonly string[], gold: readonly number[]): void {
  const single = names.find((name) => ofOneChoice.includes(name));
  if (single !== undefined && gold.length !== 1) {
    throw new DocumentError(`${single} needs one right choice, not ${gold.length}`);
  }
  if (names.includes("f1") && choices.length > 2) {
    throw new DocumentError(`f1 is of two choices, not ${choices.length}; mcc is of any number`);
  }
}

/**
 * @param delimiter between context and choice
 * @throws {DocumentError} if the document cannot be scored.
 */
export function prepareQuestion(
  { docId, document, context }: PromptedDocument,
  task: Task,
  reader: DocumentReader,
  delimiter: string,
  encoder: RequestEncoder,
): PendingSample<LoglikelihoodRequest, LoglikelihoodResult> {
  const choices = reader.choices(document)!;
  const { indices: gold, problem } = reader.gold(document, choices);
  const target = reader.target(document);
  const pairs =
    typeof context === "string"
      ? choices.map((choice) => [context, delimiter + choice] as const)
      : context.map((text) => [text, delimiter + pythonStr(target)] as const);
  const names = task.metrics.map(({ name }) => name);
  if (task.processResults === null) checkMetrics(names, choices, gold);
  // Mutual information also needs the choices without context.
  if (names.includes("acc_mutual_info"))
    append(
      pairs,
      choices.map((choice) => ["", delimiter + choice] as const),
    );
  const encoded = encodePairs(pairs, encoder);
  return {
    requests: encoded.requests,
    cuts: encoded.cuts,
    problems: [
      ...(problem === null ? [] : [{ kind: "label", message: problem } as const]),
      ...encoded.problems.map((message) => ({ kind: "token", message }) as const),
    ],
    judge(results) {
      const answers = encoded.answers(results).map((result) => [result.logprob, result.isGreedy] as const);
      const values = answers.map(([value]) => value);
      const metrics = task.processResults
        ? task.processResults(document, answers)
        : metricsOf(names, {
            choices,
            gold,
            logLikelihoods: values.slice(0, choices.length),
            isGreedy: answers.map(([, greedy]) => greedy),
            unconditional: values.slice(choices.length),
          });
      return samplesOfFilters(task, answers, { docId, document, target, arguments: pairs, metrics });
    },
  };
}

/** In the task's order. */
function metricsOf(names: readonly string[], question: ScoredQuestion): Metrics {
  return Object.fromEntries(names.map((name) => [name, choiceMetrics[name](question)]));
}
