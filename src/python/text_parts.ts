/** How `str` is cut into parts, put together and searched. */

import { PythonError } from "./python_error.ts";
import { iterate } from "./sequences.ts";
import { characters, codePointIndex, textLength, textSlice } from "./text.ts";
import { isNumeric, PythonTuple, pythonTuple, textOf, typeName } from "./values.ts";
import { lstrip, rstrip, splitWords, strip, whitespaceClass } from "./whitespace.ts";

/** @throws {PythonError} if the argument is no text */
export function textArgument(method: string, value: unknown): string {
  const text = textOf(value);
  if (text === undefined) throw new PythonError(`${method} argument must be str, not ${typeName(value)}`);
  return text;
}

const isNone = (value: unknown) => value === undefined || value === null;

/** An argument that may be left out or None. */
export function optionalNumber(value: unknown): number | undefined {
  if (isNone(value)) return undefined;
  if (isNumeric(value)) return Number(value);
  throw new PythonError(`'${typeName(value)}' object cannot be interpreted as an integer`);
}

/** A number that must be given. */
export function requiredNumber(value: unknown): number {
  const number = optionalNumber(value);
  if (number === undefined) throw new PythonError("'NoneType' object cannot be interpreted as an integer");
  return number;
}

/** An argument that is true or false, which Python takes numbers for. */
export function flagArgument(value: unknown): boolean {
  return value !== undefined && requiredNumber(value) !== 0;
}

export function stripText(text: string, set: unknown, sides: "left" | "right" | "both"): string {
  if (isNone(set)) return sides === "left" ? lstrip(text) : sides === "right" ? rstrip(text) : strip(text);
  const removed = new Set(textArgument("strip", set));
  const points = characters(text);
  let [begin, end] = [0, points.length];
  if (sides !== "right") while (begin < end && removed.has(points[begin])) begin++;
  if (sides !== "left") while (end > begin && removed.has(points[end - 1])) end--;
  const kept = points.slice(begin, end);
  return typeof kept === "string" ? kept : kept.join("");
}

const firstWord = new RegExp(`^([^${whitespaceClass}]+)[${whitespaceClass}]*`);
const lastWord = new RegExp(`[${whitespaceClass}]*([^${whitespaceClass}]+)$`);

function separatorOf(value: unknown): string {
  const separator = textArgument("split", value);
  if (separator === "") throw new PythonError("empty separator");
  return separator;
}

export function splitText(text: string, separator: unknown, limit: unknown): string[] {
  const most = optionalNumber(limit) ?? -1;
  if (isNone(separator)) {
    if (most < 0) return splitWords(text);
    const words: string[] = [];
    let rest = lstrip(text);
    for (let match = firstWord.exec(rest); match !== null && words.length < most; match = firstWord.exec(rest)) {
      words.push(match[1]);
      rest = rest.slice(match[0].length);
    }
    return rest === "" ? words : [...words, rest];
  }
  const parts = text.split(separatorOf(separator));
  if (most < 0 || parts.length <= most + 1) return parts;
  return [...parts.slice(0, most), parts.slice(most).join(separator as string)];
}

export function splitFromRight(text: string, separator: unknown, limit: unknown): string[] {
  const most = optionalNumber(limit) ?? -1;
  if (most < 0 && isNone(separator)) return splitWords(text);
  const parts: string[] = [];
  if (isNone(separator)) {
    let rest = rstrip(text);
    for (let match = lastWord.exec(rest); match !== null && parts.length < most; match = lastWord.exec(rest)) {
      parts.unshift(match[1]);
      rest = rest.slice(0, match.index);
    }
    return rest === "" ? parts : [rest, ...parts];
  }
  const mark = separatorOf(separator);
  let rest = text;
  for (let at = rest.lastIndexOf(mark); at >= 0 && (most < 0 || parts.length < most); at = rest.lastIndexOf(mark)) {
    parts.push(rest.slice(at + mark.length));
    rest = rest.slice(0, at);
  }
  return [rest, ...parts.reverse()];
}

const lineBreaks = "\\n\\r\\v\\f\\x1c-\\x1e\\x85\\u2028\\u2029";
const lineEnd = new RegExp(`\\r\\n|[${lineBreaks}]`, "g");

export function splitLines(text: string, keepEnds: boolean): string[] {
  const lines: string[] = [];
  let begin = 0;
  for (const match of text.matchAll(lineEnd)) {
    const end = match.index + match[0].length;
    lines.push(text.slice(begin, keepEnds ? end : match.index));
    begin = end;
  }
  return begin < text.length ? [...lines, text.slice(begin)] : lines;
}

export function replaceText(text: string, from: string, to: string, count: unknown): string {
  let left = optionalNumber(count) ?? -1;
  if (left < 0) left = Number.POSITIVE_INFINITY;
  if (from === "") {
    const points = ["", ...characters(text)];
    return points.map((point, i) => (i < left ? point + to : point)).join("");
  }
  if (left === Number.POSITIVE_INFINITY) return text.replaceAll(from, () => to);
  return text.replaceAll(from, (found) => (left-- > 0 ? to : found));
}

export function partition(text: string, separator: unknown, fromRight: boolean): PythonTuple<string> {
  const mark = separatorOf(separator);
  const at = fromRight ? text.lastIndexOf(mark) : text.indexOf(mark);
  if (at < 0) return pythonTuple(fromRight ? ["", "", text] : [text, "", ""]);
  return pythonTuple([text.slice(0, at), mark, text.slice(at + mark.length)]);
}

/** Where `part` begins within `text[start:stop]`, in code points of `text`; -1 if nowhere. */
export function findText(text: string, part: unknown, start: unknown, stop: unknown, fromRight: boolean): number {
  const wanted = textArgument("find", part);
  const [from, to] = [optionalNumber(start), optionalNumber(stop)];
  const size = textLength(text);
  const begin = from === undefined ? 0 : from < 0 ? Math.max(0, size + from) : from;
  if (begin > size) return -1;
  const range = from === undefined && to === undefined ? text : textSlice(text, begin, to);
  const at = codePointIndex(range, fromRight ? range.lastIndexOf(wanted) : range.indexOf(wanted));
  return at < 0 ? -1 : at + begin;
}

export function countText(text: string, part: unknown, start: unknown, stop: unknown): number {
  if ((optionalNumber(start) ?? 0) > textLength(text)) return 0;
  const range = textSlice(text, optionalNumber(start), optionalNumber(stop));
  const wanted = textArgument("count", part);
  return wanted === "" ? textLength(range) + 1 : range.split(wanted).length - 1;
}

/** `startswith` and `endswith`: one text, or a tuple of which one must fit. */
export function hasAffix(text: string, affixes: unknown, start: unknown, stop: unknown, isEnd: boolean): boolean {
  const isWhole = isNone(start) && isNone(stop);
  if (!isWhole && (optionalNumber(start) ?? 0) > textLength(text)) return false;
  const range = isWhole ? text : textSlice(text, optionalNumber(start), optionalNumber(stop));
  const list = affixes instanceof PythonTuple ? affixes : [affixes];
  const name = isEnd ? "endswith" : "startswith";
  return list.some((affix) => {
    const wanted = textArgument(`${name} first`, affix);
    return isEnd ? range.endsWith(wanted) : range.startsWith(wanted);
  });
}

export function joinTexts(separator: string, items: unknown): string {
  return Array.from(iterate(items), (item, i) => {
    const text = textOf(item);
    if (text === undefined) {
      throw new PythonError(`sequence item ${i}: expected str instance, ${typeName(item)} found`);
    }
    return text;
  }).join(separator);
}

/** `center`, `ljust` and `rjust`. */
export function justify(text: string, width: unknown, fill: unknown, side: "left" | "right" | "center"): string {
  const filler = isNone(fill) ? " " : textArgument("fill character", fill);
  if (textLength(filler) !== 1) throw new PythonError("The fill character must be exactly one character long");
  const space = requiredNumber(width);
  const missing = Math.max(0, space - textLength(text));
  if (side === "left") return text + filler.repeat(missing);
  if (side === "right") return filler.repeat(missing) + text;
  // CPython puts the odd one to the left where the width is odd.
  const before = (missing >> 1) + (missing & space & 1);
  return filler.repeat(before) + text + filler.repeat(missing - before);
}

export function fillZeros(text: string, width: unknown): string {
  const [, sign, digits] = /^([+-]?)(.*)$/s.exec(text)!;
  return sign + justify(digits, requiredNumber(width) - sign.length, "0", "right");
}

export function expandTabs(text: string, size: unknown): string {
  const width = optionalNumber(size) ?? 8;
  let column = 0;
  let result = "";
  for (const character of text) {
    if (character === "\t") {
      const spaces = width > 0 ? width - (column % width) : 0;
      result += " ".repeat(spaces);
      column += spaces;
    } else {
      result += character;
      column = character === "\n" || character === "\r" ? 0 : column + 1;
    }
  }
  return result;
}
