/** Filters of texts. */

import { binary } from "../../python/arithmetic.ts";
import { dictArguments } from "../../python/container_methods.ts";
import { dictEntries, isDict, PythonDict } from "../../python/dict.ts";
import { percentFormat } from "../../python/percent_format.ts";
import { isIterable, iterate, lengthOf } from "../../python/sequences.ts";
import { noKwargs } from "../../python/signature.ts";
import { textLength, textSlice } from "../../python/text.ts";
import { splitLines, textArgument } from "../../python/text_parts.ts";
import { wrapText } from "../../python/text_wrap.ts";
import { isTruthy, pythonRepr, pythonStr, pythonTuple, textOf } from "../../python/values.ts";
import type { Filter } from "../environment.ts";
import { JinjaError } from "../jinja_error.ts";
import { Markup } from "../markup.ts";
import { attributeGetter, callTextMethod, filter, numberArgument, textFilter } from "./filter.ts";

/** Words begin behind white space, hyphens and opening brackets; `"o'neil"` is one. */
function titleWords(text: string): string {
  return text
    .split(/([-\s({[<]+)/u)
    .map((word) => {
      const [first = "", ...rest] = [...word];
      return first.toUpperCase() + rest.join("").toLowerCase();
    })
    .join("");
}

function indented(value: unknown, width: unknown, first: boolean, blank: boolean): unknown {
  const indentation = textOf(width) ?? " ".repeat(Math.max(0, numberArgument("indent", width, 4)));
  const text = textArgument("indent", value);
  const lines = splitLines(`${text}\n`, false);
  const indentedLines = lines.map((line, i) => (i > 0 && (line !== "" || blank) ? indentation + line : line));
  const joined = (first ? indentation : "") + indentedLines.join("\n");
  return value instanceof Markup ? new Markup(joined) : joined;
}

function truncated(value: unknown, length: number, killWords: boolean, end: string, leeway: number): unknown {
  if (length < textLength(end)) throw new JinjaError(`truncate: expected length >= ${textLength(end)}, got ${length}`);
  if (leeway < 0) throw new JinjaError(`truncate: expected leeway >= 0, got ${leeway}`);
  if (lengthOf(value) <= length + leeway) return value;
  const kept = textSlice(textArgument("truncate", value), 0, length - textLength(end));
  if (killWords) return kept + end;
  const space = kept.lastIndexOf(" ");
  return (space < 0 ? kept : kept.slice(0, space)) + end;
}

function urlQuote(value: unknown, isQuery: boolean): string {
  const quoted = encodeURIComponent(pythonStr(value)).replace(
    /[!*'()]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return isQuery ? quoted.replaceAll("%20", "+") : quoted.replaceAll("%2F", "/");
}

function urlEncode(value: unknown): string {
  if (textOf(value) !== undefined || !isIterable(value)) return urlQuote(value, false);
  const pairs = isDict(value) ? dictEntries(value) : dictArguments([value], noKwargs);
  return pairs.map(([key, item]) => `${urlQuote(key, true)}=${urlQuote(item, true)}`).join("&");
}

/** `pprint.pformat` of what fits in one line of 80 characters. */
function prettyPrint(value: unknown): string {
  const sorted = (entry: unknown): unknown => {
    if (isDict(entry)) {
      const entries = dictEntries(entry).map(([key, item]) => [key, sorted(item)] as const);
      return new PythonDict(entries.sort(([a], [b]) => (pythonStr(a) < pythonStr(b) ? -1 : 1)));
    }
    return Array.isArray(entry) ? binary("+", entry.slice(0, 0), entry.map(sorted)) : entry;
  };
  const text = pythonRepr(Array.isArray(value) || isDict(value) ? sorted(value) : value);
  if (text.length > 80) throw new JinjaError("pprint of values of more than 80 characters is not supported");
  return text;
}

export const textFilters: Record<string, Filter> = {
  upper: textFilter("upper", ""),
  lower: textFilter("lower", ""),
  capitalize: textFilter("capitalize", ""),
  trim: textFilter("trim", "chars?", "strip"),
  title: filter("title", "", (_, value) => titleWords(pythonStr(value))),
  center: filter("center", "width?", (environment, value, width) =>
    callTextMethod(environment, value, "center", [width ?? 80]),
  ),
  string: filter("string", "", (_, value) => (textOf(value) === undefined ? pythonStr(value) : value)),
  replace: filter("replace", "old new count?", (environment, value, old, replacement, count) =>
    callTextMethod(environment, pythonStr(value), "replace", [pythonStr(old), pythonStr(replacement), count ?? -1]),
  ),
  join: filter("join", "d? attribute?", (environment, value, separator, attribute) => {
    const get = attributeGetter(environment, attribute);
    return Array.from(iterate(value), (item) => pythonStr(get(item))).join(
      separator === undefined ? "" : pythonStr(separator),
    );
  }),
  indent: filter("indent", "width? first? blank?", (_, value, width, first, blank) =>
    indented(value, width, isTruthy(first), isTruthy(blank)),
  ),
  truncate: filter("truncate", "length? killwords? end? leeway?", (_, value, length, killWords, end, leeway) =>
    truncated(
      value,
      numberArgument("truncate", length, 255),
      isTruthy(killWords),
      end === undefined ? "..." : pythonStr(end),
      numberArgument("truncate", leeway ?? undefined, 5),
    ),
  ),
  wordwrap: filter(
    "wordwrap",
    "width? break_long_words? wrapstring? break_on_hyphens?",
    (_, value, width, breakLongWords, wrapString, breakOnHyphens) => {
      const options = {
        width: numberArgument("wordwrap", width, 79),
        breakLongWords: breakLongWords === undefined || isTruthy(breakLongWords),
        breakOnHyphens: breakOnHyphens === undefined || isTruthy(breakOnHyphens),
      };
      const lineBreak = textOf(wrapString) ?? "\n";
      const lines = splitLines(textArgument("wordwrap", value), false);
      return lines.map((line) => wrapText(line, options).join(lineBreak)).join(lineBreak);
    },
  ),
  wordcount: filter("wordcount", "", (_, value) => pythonStr(value).match(/[\p{L}\p{N}_]+/gu)?.length ?? 0),
  format: (_, value, args, kwargs) => {
    if (args.length > 0 && kwargs.size > 0) {
      throw new JinjaError("format: can't handle positional and keyword arguments at the same time");
    }
    const values = kwargs.size > 0 ? new PythonDict(kwargs) : pythonTuple(args);
    return value instanceof Markup ? binary("%", value, values) : percentFormat(pythonStr(value), values);
  },
  urlencode: filter("urlencode", "", (_, value) => urlEncode(value)),
  pprint: filter("pprint", "", (_, value) => prettyPrint(value)),
};
