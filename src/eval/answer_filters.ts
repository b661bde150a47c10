/**
 * Filters that take the answer out of a generated text, and the comparison with the expected one, as in
 * lm-evaluation-harness 0.4 (`filters/extraction.py`, `exact_match` of `api/metrics.py`).
 */
import { strip } from "./python_whitespace.ts";

/** What a filter returns where its pattern does not match. */
export const invalidAnswer = "[invalid]";

export interface RegexFilter {
  /** In the results file and the table. */
  name: string;
  /** With the `g` flag. */
  pattern: RegExp;
  /** Which of the matches is the answer. */
  select: "first" | "last";
}

/** The selected match of the filter: its first group that is not empty, else the whole match if there is no group. */
export function applyFilter(filter: RegexFilter, response: string): string {
  const matches = [...response.matchAll(filter.pattern)];
  const match = filter.select === "first" ? matches[0] : matches[matches.length - 1];
  if (match === undefined) return invalidAnswer;
  const groups = match.slice(1);
  const answer = groups.length === 0 ? match[0] : groups.find((group) => group !== undefined && group !== "");
  // findall() of a single group that matched nothing gives "", of several groups the fallback.
  return answer === undefined ? (groups.length === 1 ? "" : invalidAnswer) : strip(answer);
}

/** 1 if prediction and reference are equal after `ignored` patterns are removed and case is folded, else 0. */
export function exactMatch(prediction: string, reference: string, ignored: readonly RegExp[]): number {
  const normalize = (text: string) => ignored.reduce((rest, pattern) => rest.replace(pattern, ""), text).toLowerCase();
  return normalize(prediction) === normalize(reference) ? 1 : 0;
}
