/**
 * Filters of the answers to a request, as in lm-evaluation-harness 0.4 (`filters/`): each takes the list of all answers and
 * gives a list; only `take_first`, the last one, gives a single answer.
 */
import type { JsonObject } from "../../data/document.ts";
import { pythonRegex, selectedMatch } from "../../python/regex.ts";
import { pythonRepr } from "../../python/values.ts";
import { strip } from "../../python/whitespace.ts";
import { namedFunction } from "../functions/named_functions.ts";
import { TaskRuleError } from "../schema/task_rule_error.ts";
import type { FilterStep, OutputType } from "../schema/task_schema.ts";
import { multiChoiceRegex } from "./choice_letters.ts";

/** What a regex filter gives where its pattern does not match. */
const invalidAnswer = "[invalid]";

/** lm-evaluation-harness's pattern where a regex filter names none. */
const defaultPattern = "#### (\\-?[0-9\\.\\,]+)";

type Step = (answers: readonly unknown[], document: JsonObject) => unknown[];

export interface FilterPipeline {
  /** In the results file and the table. */
  name: string;
  /** What is judged, from all answers to a request: one of them, or a list where `take_first` is not the last filter. */
  apply(answers: readonly unknown[], document: JsonObject): unknown;
}

/** The filter of tasks that name none. */
export const takeFirst: FilterPipeline = { name: "none", apply: ([first]) => first };

/** Filters that choose among the answers and leave each as it is. */
const choosingFilters = new Set<FilterStep["function"]>(["take_first", "take_first_k", "majority_vote"]);

/**
 * @param repeats answers to each request
 * @throws {RegexError} or {TaskRuleError} if a filter cannot be used.
 */
export function compileFilters(
  { name, filter }: { name: string; filter: readonly FilterStep[] },
  outputType: OutputType,
  repeats: number,
): FilterPipeline {
  const kinds = filter.map((step) => step.function);
  const takesFirst = kinds.at(-1) === "take_first";
  const steps = filter.filter((step) => step.function !== "take_first");
  if (filter.length - steps.length > Number(takesFirst)) {
    throw new TaskRuleError(`${name}: take_first leaves a single answer, so it must be the last filter`);
  }
  if (outputType !== "generate_until" && !(takesFirst && kinds.every((kind) => choosingFilters.has(kind)))) {
    throw new TaskRuleError(
      `${name}: answers of ${outputType} are no texts: ${[...choosingFilters].join(", ")} are their filters, take_first the last`,
    );
  }
  const compiled = steps.map((step) => compileStep(step, repeats));
  return {
    name,
    apply(answers, document) {
      const rest = compiled.reduce<readonly unknown[]>((kept, step) => step(kept, document), answers);
      return takesFirst ? rest[0] : rest;
    },
  };
}

/** Changes each answer; what is no text counts as an empty one. */
function eachText(change: (text: string, document: JsonObject) => unknown): Step {
  return (answers, document) => answers.map((answer) => change(typeof answer === "string" ? answer : "", document));
}

function compileStep(step: Exclude<FilterStep, { function: "take_first" }>, repeats: number): Step {
  switch (step.function) {
    case "regex": {
      const { regex_pattern = defaultPattern, group_select = 0, fallback = invalidAnswer } = step;
      const pattern = pythonRegex(regex_pattern);
      return eachText((text) => {
        const match = selectedMatch(text, pattern, group_select);
        return match === undefined ? fallback : strip(match);
      });
    }
    case "multi_choice_regex": {
      const { regex_pattern = defaultPattern, fallback = invalidAnswer, ...settings } = step;
      return eachText(multiChoiceRegex({ ...settings, regex_pattern, fallback }));
    }
    case "take_first_k":
      if (step.k > repeats)
        throw new TaskRuleError(`take_first_k: ${step.k} answers of ${repeats} (repeats: ${repeats})`);
      return (answers) => answers.slice(0, step.k);
    case "majority_vote":
      return (answers) => [mostFrequent(answers)];
    case "remove_whitespace":
      return eachText(strip);
    case "lowercase":
      return eachText((text) => text.toLowerCase());
    case "uppercase":
      return eachText((text) => text.toUpperCase());
    case "map": {
      const { mapping_dict: values, default_value: otherwise = null } = step;
      return eachText((text) => (Object.hasOwn(values, text) ? values[text] : otherwise));
    }
    case "custom": {
      const call = namedFunction("filter", step.filter_fn.name);
      return (answers, document) => answers.map((answer) => call(String(answer), document));
    }
  }
}

/** The first of those that are there most often. */
function mostFrequent(answers: readonly unknown[]): unknown {
  const counts = new Map<string, { answer: unknown; count: number }>();
  for (const answer of answers) {
    const key = pythonRepr(answer);
    counts.set(key, { answer, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  return [...counts.values()].reduce((best, entry) => (entry.count > best.count ? entry : best)).answer;
}
