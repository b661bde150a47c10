/**
 * Whitespace as Python's `str.isspace` sees it. JavaScript's `\s` differs: it has U+FEFF, and lacks U+001C to U+001F
 * and U+0085.
 */
export const whitespaceClass = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

const leading = new RegExp(`^[${whitespaceClass}]+`);
const trailing = new RegExp(`[${whitespaceClass}]+$`);
const runs = new RegExp(`[${whitespaceClass}]+`);
const ends = new RegExp(`^[${whitespaceClass}]+|[${whitespaceClass}]+$`, "g");

/** `text.rstrip()`. */
export function rstrip(text: string): string {
  return text.replace(trailing, "");
}

/** `text.strip()`. */
export function strip(text: string): string {
  return text.replace(ends, "");
}

/** `len(re.split(r"\s+", text))`: lm-evaluation-harness's number of words. */
export function countWords(text: string): number {
  return text.split(runs).length;
}

/** `text.lstrip()`. */
export function lstrip(text: string): string {
  return text.replace(leading, "");
}

/** `text.split()`: the words between runs of whitespace. */
export function splitWords(text: string): string[] {
  const stripped = strip(text);
  return stripped === "" ? [] : stripped.split(runs);
}

/** `text.isspace()`. */
export function isSpace(text: string): boolean {
  return text !== "" && strip(text) === "";
}
