/** Filters that take the answer out of a generated text, as in lm-evaluation-harness 0.4 (`filters/`). */
import type { JsonObject } from "./document.ts";
import { namedFunction } from "./named_functions.ts";
import { pythonRegex } from "./python/regex.ts";
import { strip } from "./python/whitespace.ts";
import type { FilterStep } from "./task_schema.ts";

/** What a regex filter returns where its pattern does not match. */
export const invalidAnswer = "[invalid]";

type Step = (response: unknown, document: JsonObject) => unknown;

export interface FilterPipeline {
  /** In the results file and the table. */
  name: string;
  /** What is judged, from a response. */
  apply(response: unknown, document: JsonObject): unknown;
}

/** The filter of tasks that name none. */
export const takeFirst: FilterPipeline = { name: "none", apply: (response) => response };

/** @throws {RegexError} or {UnknownFunctionError} if a step cannot be used. */
export function compileFilters({ name, filter }: { name: string; filter: readonly FilterStep[] }): FilterPipeline {
  const steps = filter.map(compileStep);
  return { name, apply: (response, document) => steps.reduce((answer, step) => step(answer, document), response) };
}

function onText(change: (text: string) => unknown): Step {
  return (response) => change(typeof response === "string" ? response : "");
}

function compileStep(step: FilterStep): Step {
  switch (step.function) {
    case "regex": {
      const pattern = pythonRegex(step.regex_pattern);
      return onText((text) => selectMatch(text, pattern, step.group_select ?? 0, step.fallback ?? invalidAnswer));
    }
    // A request is made once, so there is only the first answer.
    case "take_first":
      return (response) => response;
    case "remove_whitespace":
      return onText(strip);
    case "lowercase":
      return onText((text) => text.toLowerCase());
    case "uppercase":
      return onText((text) => text.toUpperCase());
    case "map": {
      const { mapping_dict: answers, default_value: otherwise = null } = step;
      return onText((text) => (Object.hasOwn(answers, text) ? answers[text] : otherwise));
    }
    case "custom": {
      const call = namedFunction("filter", step.filter_fn.name);
      return (response, document) => call(String(response), document);
    }
  }
}

/**
 * The selected match (negative: from the end): its first group that is not empty, else the whole match if there is no
 * group.
 */
function selectMatch(text: string, pattern: RegExp, select: number, fallback: string): string {
  const match = [...text.matchAll(pattern)].at(select);
  if (match === undefined) return fallback;
  const groups = match.slice(1);
  const answer = groups.length === 0 ? match[0] : groups.find((group) => group !== undefined && group !== "");
  // findall() of a single group that matched nothing gives "", of several groups the fallback.
  return answer === undefined ? (groups.length === 1 ? "" : fallback) : strip(answer);
}
