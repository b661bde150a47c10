/** Multiple choice: every choice is scored as the continuation of the context, or as the context of one continuation. */
import type { DocumentReader } from "./document_reader.ts";
import type { LoglikelihoodRequest, LoglikelihoodResult } from "./language_model.ts";
import { likeliestChoice, likeliestChoicePerByte, likeliestChoicePerCharacter } from "./metrics.ts";
import { pythonStr } from "./python/values.ts";
import type { RequestEncoder } from "./request_encoding.ts";
import type { Metrics, PendingSample, PromptedDocument } from "./sample.ts";
import type { Task } from "./task.ts";

/** @param delimiter between context and choice */
export function prepareQuestion(
  { docId, document, context }: PromptedDocument,
  task: Task,
  reader: DocumentReader,
  delimiter: string,
  encoder: RequestEncoder,
): PendingSample<LoglikelihoodRequest, LoglikelihoodResult> {
  const choices = reader.choices(document)!;
  const gold = reader.gold(document, choices);
  const target = reader.target(document);
  const pairs =
    typeof context === "string"
      ? choices.map((choice) => [context, delimiter + choice] as const)
      : context.map((text) => [text, delimiter + pythonStr(target)] as const);
  const names = task.metrics.map(({ name }) => name);
  // Mutual information also needs the choices without context.
  if (names.includes("acc_mutual_info")) pairs.push(...choices.map((choice) => ["", delimiter + choice] as const));
  return {
    requests: pairs.map(([before, continuation]) => encoder.encodePair(before, continuation)),
    judge(results) {
      const answers = results.map((result) => [result.logprob, result.isGreedy] as const);
      const measured = task.processResults?.(document, answers) ?? choiceMetrics(answers, choices, gold);
      const metrics = task.processResults ? measured : select(measured, names);
      return [
        {
          docId,
          document,
          target,
          arguments: pairs,
          responses: answers.map((answer) => [answer]),
          filteredResponses: answers,
          filter: "none",
          metrics,
        },
      ];
    },
  };
}

/** In the task's order. */
function select(measured: Metrics, names: readonly string[]): Metrics {
  return Object.fromEntries(names.filter((name) => name in measured).map((name) => [name, measured[name]]));
}

function choiceMetrics(
  answers: readonly (readonly [number, boolean])[],
  choices: readonly string[],
  gold: readonly number[],
): Metrics {
  const all = answers.map(([value]) => value);
  const values = all.slice(0, choices.length);
  const unconditional = all.slice(choices.length);
  const isRight = (index: number) => (gold.includes(index) ? 1 : 0);
  return {
    acc: isRight(likeliestChoice(values)),
    acc_norm: isRight(likeliestChoicePerCharacter(values, choices)),
    acc_bytes: isRight(likeliestChoicePerByte(values, choices)),
    exact_match: gold.some((index) => answers[index][1]) ? 1 : 0,
    ...(unconditional.length > 0 && {
      acc_mutual_info: isRight(likeliestChoice(values.map((value, i) => value - unconditional[i]))),
    }),
  };
}
