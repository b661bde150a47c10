/** What becomes of the matches of a split: the five behaviours of Hugging Face's `tokenizers`. */
import { TokenizerError } from "./tokenizer_json.ts";

const behaviors = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"] as const;
export type SplitBehavior = (typeof behaviors)[number];

/** @throws {TokenizerError} if there is no behaviour of that name. */
export function splitBehavior(name: string): SplitBehavior {
  const behavior = behaviors.find((candidate) => candidate === name);
  if (!behavior) throw new TokenizerError(`the tokenizer splits with the behavior ${name}, which is not known`);
  return behavior;
}

/** A stretch of the text, and whether the expression matched it. */
interface Span {
  start: number;
  end: number;
  matched: boolean;
}

/** Matches and what lies between them, in order. */
function spansOf(text: string, expression: RegExp, invert: boolean): Span[] {
  const spans: Span[] = [];
  let end = 0;
  for (const match of text.matchAll(expression)) {
    if (match.index > end) spans.push({ start: end, end: match.index, matched: invert });
    end = match.index + match[0].length;
    spans.push({ start: match.index, end, matched: !invert });
  }
  if (end < text.length) spans.push({ start: end, end: text.length, matched: invert });
  return spans;
}

/** Joins each span to the one before where `joins` says so. */
function joined(spans: readonly Span[], joins: (span: Span, before: Span) => boolean): Span[] {
  const result: Span[] = [];
  let before: Span | undefined;
  for (const span of spans) {
    const last = result.at(-1);
    if (before && last && joins(span, before)) last.end = span.end;
    else result.push({ ...span });
    before = span;
  }
  return result;
}

/** Non-empty pieces of `text`, with the place of each. */
export function splitText(
  text: string,
  expression: RegExp,
  behavior: SplitBehavior,
  invert = false,
): { text: string; start: number }[] {
  let spans = spansOf(text, expression, invert);
  switch (behavior) {
    case "Removed":
      spans = spans.filter(({ matched }) => !matched);
      break;
    case "MergedWithPrevious":
      spans = joined(spans, (span, before) => span.matched && !before.matched);
      break;
    case "MergedWithNext":
      spans = joinedFromRight(spans);
      break;
    case "Contiguous":
      spans = joined(spans, (span, before) => span.matched === before.matched);
  }
  return spans
    .filter(({ start, end }) => end > start)
    .map(({ start, end }) => ({ text: text.slice(start, end), start }));
}

/** Each match goes to what follows it; of several in a row only the last does. */
function joinedFromRight(spans: readonly Span[]): Span[] {
  const result: Span[] = [];
  let afterMatched: boolean | null = null;
  for (let i = spans.length - 1; i >= 0; i--) {
    const span = spans[i];
    const last = result.at(-1);
    if (span.matched && afterMatched === false && last) last.start = span.start;
    else result.push({ ...span });
    afterMatched = span.matched;
  }
  return result.reverse();
}
