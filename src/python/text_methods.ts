/** Methods of Python's `str`, `list` and `dict` that task templates call. Positions count code points. */

import { PythonError } from "./python_error.ts";
import { isEqual, pythonRepr, pythonStr } from "./values.ts";
import { lstrip, rstrip, splitWords, strip } from "./whitespace.ts";

type Method = (...args: unknown[]) => unknown;

function textArgument(method: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw new PythonError(`${method}() needs a text, not ${pythonRepr(value)}`);
}

function stripCharacters(text: string, characters: unknown, sides: "left" | "right" | "both"): string {
  if (characters === undefined || characters === null) {
    return sides === "left" ? lstrip(text) : sides === "right" ? rstrip(text) : strip(text);
  }
  const set = new Set(textArgument("strip", characters));
  const points = [...text];
  let [begin, end] = [0, points.length];
  if (sides !== "right") while (begin < end && set.has(points[begin])) begin++;
  if (sides !== "left") while (end > begin && set.has(points[end - 1])) end--;
  return points.slice(begin, end).join("");
}

function split(text: string, separator: unknown, limit: unknown): string[] {
  if (separator === undefined || separator === null) return splitWords(text);
  const parts = text.split(textArgument("split", separator));
  if (typeof limit !== "number" || limit < 0 || parts.length <= limit + 1) return parts;
  return [...parts.slice(0, limit), parts.slice(limit).join(separator as string)];
}

/** Title case of capitals that are two letters in one. */
const titleCase: Record<string, string> = { Ǆ: "ǅ", Ǉ: "ǈ", Ǌ: "ǋ", Ǳ: "ǲ" };

/** Python lowers everything after the first character, and puts that one in title case (ß becomes Ss). */
export function capitalize(text: string): string {
  const [first = "", ...rest] = [...text];
  const [initial = "", ...others] = [...first.toUpperCase()];
  return (titleCase[initial] ?? initial) + others.join("").toLowerCase() + rest.join("").toLowerCase();
}

function title(text: string): string {
  return text.toLowerCase().replace(/\p{L}+/gu, capitalize);
}

function find(text: string, part: unknown): number {
  const at = text.indexOf(textArgument("find", part));
  return at < 0 ? -1 : [...text.slice(0, at)].length;
}

function textMethods(text: string): Record<string, Method> {
  return {
    strip: (set) => stripCharacters(text, set, "both"),
    lstrip: (set) => stripCharacters(text, set, "left"),
    rstrip: (set) => stripCharacters(text, set, "right"),
    lower: () => text.toLowerCase(),
    upper: () => text.toUpperCase(),
    capitalize: () => capitalize(text),
    title: () => title(text),
    split: (separator, limit) => split(text, separator, limit),
    replace: (from, to) => text.replaceAll(textArgument("replace", from), () => textArgument("replace", to)),
    startswith: (part) => text.startsWith(textArgument("startswith", part)),
    endswith: (part) => text.endsWith(textArgument("endswith", part)),
    removeprefix: (part) => (text.startsWith(String(part)) ? text.slice(String(part).length) : text),
    removesuffix: (part) => (part !== "" && text.endsWith(String(part)) ? text.slice(0, -String(part).length) : text),
    find: (part) => find(text, part),
    count: (part) => text.split(textArgument("count", part)).length - 1,
    isdigit: () => /^\p{Nd}+$/u.test(text),
    join: (items) => (items as unknown[]).map((item) => textArgument("join", item)).join(text),
    index: (part) => {
      const at = find(text, part);
      if (at < 0) throw new PythonError(`${pythonRepr(part)} is not in the text`);
      return at;
    },
  };
}

function listMethods(list: readonly unknown[]): Record<string, Method> {
  return {
    index: (wanted) => {
      const at = list.findIndex((item) => isEqual(item, wanted));
      if (at < 0) throw new PythonError(`${pythonRepr(wanted)} is not in the list ${pythonRepr(list)}`);
      return at;
    },
    count: (wanted) => list.filter((item) => isEqual(item, wanted)).length,
  };
}

function dictionaryMethods(dictionary: Record<string, unknown>): Record<string, Method> {
  return {
    keys: () => Object.keys(dictionary),
    values: () => Object.values(dictionary),
    items: () => Object.entries(dictionary),
    get: (key, otherwise = null) =>
      Object.hasOwn(dictionary, pythonStr(key)) ? dictionary[pythonStr(key)] : otherwise,
  };
}

/** The method `name` of `value`; undefined if it has none. */
export function methodOf(value: unknown, name: string): Method | undefined {
  const methods =
    typeof value === "string"
      ? textMethods(value)
      : Array.isArray(value)
        ? listMethods(value)
        : value !== null && typeof value === "object"
          ? dictionaryMethods(value as Record<string, unknown>)
          : {};
  return Object.hasOwn(methods, name) ? methods[name] : undefined;
}
