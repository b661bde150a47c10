/** Generated answers: filtered and compared with the target. */
import { DocumentError } from "../../data/document.ts";
import type { GenerateRequest } from "../../language_model/language_model.ts";
import type { RequestEncoder } from "../../language_model/request_encoding.ts";
import { truncateAtStop } from "../../language_model/stop_strings.ts";
import { isNumeric, pythonRepr, pythonStr } from "../../python/values.ts";
import type { DocumentProblem } from "../data/document_problem.ts";
import type { DocumentReader } from "../data/document_reader.ts";
import { choiceAt } from "../data/gold.ts";
import type { ClassPair, Metrics, SampleMetric } from "../schema/sample_metric.ts";
import { type ExactMatch, mean } from "../score/metrics.ts";
import type { GenerationKwargs, Task } from "../task/task.ts";
import type { PendingSample, PromptedDocument, RequestCut } from "./sample.ts";

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

/** Every answer draws from a stream of its own, so that results do not depend on batches. */
function streamSeed(seed: number, docId: number, repeat: number): number {
  return (seed + docId + Math.imul(repeat, 0x9e3779b1)) >>> 0;
}

export function prepareProblem(
  { docId, document, context }: PromptedDocument,
  task: Task,
  reader: DocumentReader,
  { kwargs, seed, predictOnly }: GenerationSettings,
  encoder: RequestEncoder,
): PendingSample<GenerateRequest, string> {
  const target = reader.target(document);
  const choices = reader.choices(document);
  const references = referencesOf(target, choices, reader);
  const problems: DocumentProblem[] = [];
  if (choices !== null && references.length === 0) {
    const message = `the label ${pythonRepr(target).slice(0, 100)} of ${choices.length} choices is not one of them`;
    problems.push({ kind: "label", message });
  }
  const before = String(context);
  const maxTokens = kwargs.max_gen_toks ?? defaultMaxTokens;
  const { endOfText } = encoder;
  const until = endOfText === null || kwargs.until.includes(endOfText) ? kwargs.until : [...kwargs.until, endOfText];
  const temperature = temperatureOf(kwargs);
  const cuts: RequestCut[] = [];
  const request = {
    context: encoder.encodeGeneration(before, maxTokens, (cut) => cuts.push({ ...cut, request: 0 })),
    until,
    maxTokens,
    temperature,
    topK: kwargs.top_k,
    topP: kwargs.top_p,
  };
  // A greedy answer is the same however often it is asked for.
  const asked = temperature > 0 ? task.repeats : 1;
  return {
    requests: Array.from({ length: asked }, (_, repeat) => ({ ...request, seed: streamSeed(seed, docId, repeat) })),
    cuts,
    problems,
    async judge(generated) {
      const texts = generated.map((text) => truncateAtStop(text, until));
      const responses = asked < task.repeats ? new Array<string>(task.repeats).fill(texts[0]) : texts;
      return Promise.all(
        task.filters.map(async (filter) => {
          const answer = filter.apply(responses, document);
          const judged = predictOnly ? { bypass: null } : await judgeAnswer(task, document, answer, references);
          return {
            docId,
            document,
            target,
            arguments: [[before, kwargs]],
            responses: [responses],
            filteredResponses: [answer],
            filter: filter.name,
            metrics: judged,
          };
        }),
      );
    },
  };
}

/** Texts of which one must be given; a number is the index of a choice, which may not be there. */
function referencesOf(target: unknown, choices: readonly string[] | null, reader: DocumentReader): string[] {
  const isList = reader.hasSeveralTargets && Array.isArray(target);
  return (isList ? target : [target]).flatMap((entry) =>
    choices !== null && isNumeric(entry) ? (choiceAt(entry, choices) ?? []) : pythonStr(entry),
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
    if (custom) Object.assign(metrics, await custom.call(answer, references[0], custom.ks));
    else if (exactMatch) metrics[name] = shareOfMatches(answer, references, exactMatch);
    else metrics[name] = name === "bypass" ? null : classPair(name, answer, references);
  }
  return metrics;
}

/** 1 if an answer is one of the references; of several answers to one reference, the share that is right. */
function shareOfMatches(answer: unknown, references: readonly string[], matches: ExactMatch): number {
  const answers = (Array.isArray(answer) ? answer : [answer]).map(pythonStr);
  if (answers.length > 1 && references.length > 1) {
    throw new DocumentError(
      `exact_match of ${answers.length} answers and ${references.length} targets: add take_first`,
    );
  }
  return mean(answers.map((text) => (references.some((reference) => matches(text, reference)) ? 1 : 0)));
}

/** The target as the same type as the answer: a `map` filter may give numbers. */
function classPair(metric: string, answer: unknown, references: readonly string[]): ClassPair {
  const [reference] = references;
  const isLabel = typeof answer === "string" || typeof answer === "number";
  if (!isLabel || references.length > 1) {
    throw new DocumentError(`${metric} needs one target and one answer (take_first), not ${pythonRepr(answer)}`);
  }
  const label = reference ?? "-100";
  const gold = typeof answer === "number" ? Number(label) : label;
  if (metric === "f1" && [gold, answer].some((label) => label !== 0 && label !== 1)) {
    throw new DocumentError(`f1 is of the classes 0 and 1 (a map filter gives them), not ${gold} and ${answer}`);
  }
  return [gold, answer];
}
