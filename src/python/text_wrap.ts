/** `textwrap.wrap(text, expand_tabs=False, replace_whitespace=False)`. */
import { PythonError } from "./python_error.ts";
import { textLength, textSlice } from "./text.ts";

export interface WrapOptions {
  width: number;
  breakLongWords: boolean;
  breakOnHyphens: boolean;
}

const space = "[\\t\\n\\v\\f\\r ]";
const wordMark = "[\\p{L}\\p{N}_!\"'&.,?]";
const letter = "[\\p{L}_]";
// The parts of textwrap's own expression: white space, em-dashes, words with hyphens that may be broken, other words.
const hyphenated = new RegExp(
  `(${space}+|(?<=${wordMark})-{2,}(?=[\\p{L}\\p{N}_])|[^\\t\\n\\v\\f\\r ]+?(?:` +
    `-(?:(?<=${letter}{2}-)|(?<=${letter}-${letter}-))(?=${letter}-?${letter})|` +
    `(?=${space}|$)|(?<=${wordMark})(?=-{2,}[\\p{L}\\p{N}_])))`,
  "u",
);
const words = new RegExp(`(${space}+)`);
const isBlank = (chunk: string) => chunk.trim() === "";

function longWordEnd(chunk: string, room: number, breakOnHyphens: boolean): number {
  if (!breakOnHyphens || textLength(chunk) <= room) return room;
  const hyphen = textSlice(chunk, 0, room).lastIndexOf("-");
  return hyphen > 0 && /[^-]/.test(chunk.slice(0, hyphen)) ? hyphen + 1 : room;
}

/** Lines of at most `width` characters. */
export function wrapText(text: string, { width, breakLongWords, breakOnHyphens }: WrapOptions): string[] {
  if (width <= 0) throw new PythonError(`invalid width ${width} (must be > 0)`);
  const chunks = text
    .split(breakOnHyphens ? hyphenated : words)
    .filter((chunk) => chunk)
    .reverse();
  const lines: string[] = [];
  while (chunks.length > 0) {
    if (isBlank(chunks.at(-1)!) && lines.length > 0) chunks.pop();
    const line: string[] = [];
    let length = 0;
    while (chunks.length > 0 && length + textLength(chunks.at(-1)!) <= width) {
      length += textLength(chunks.at(-1)!);
      line.push(chunks.pop()!);
    }
    if (chunks.length > 0 && textLength(chunks.at(-1)!) > width) {
      const room = width - length;
      if (breakLongWords) {
        const chunk = chunks.pop()!;
        const end = longWordEnd(chunk, room, breakOnHyphens);
        line.push(textSlice(chunk, 0, end));
        chunks.push(textSlice(chunk, end, undefined));
      } else if (line.length === 0) line.push(chunks.pop()!);
    }
    if (line.length > 0 && isBlank(line.at(-1)!)) line.pop();
    if (line.length > 0) lines.push(line.join(""));
  }
  return lines;
}
