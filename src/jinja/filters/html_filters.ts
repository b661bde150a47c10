/** Filters around HTML. */
import { dictEntries, isDict } from "../../python/dict.ts";
import { jsonDumps } from "../../python/json.ts";
import { textArgument } from "../../python/text_parts.ts";
import { isTruthy, pythonStr, textOf } from "../../python/values.ts";
import { splitWords } from "../../python/whitespace.ts";
import type { Filter } from "../environment.ts";
import { JinjaError } from "../jinja_error.ts";
import { escapeHtml, escapeValue, Markup } from "../markup.ts";
import { Undefined } from "../undefined.ts";
import { filter } from "./filter.ts";

/** Names of characters that ordinary text has; others stay as they are. */
const named: Record<string, string> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\xa0",
  copy: "©",
  reg: "®",
  hellip: "…",
  mdash: "—",
  ndash: "–",
  lsquo: "‘",
  rsquo: "’",
  ldquo: "“",
  rdquo: "”",
  laquo: "«",
  raquo: "»",
  bull: "•",
  middot: "·",
  times: "×",
  deg: "°",
  euro: "€",
};

function unescapeHtml(text: string): string {
  return text.replace(/&(?:#(\d+)|#[xX]([0-9a-fA-F]+)|(\w+));?/g, (whole, decimal, hex, name) => {
    if (name !== undefined) return whole.endsWith(";") && Object.hasOwn(named, name) ? named[name] : whole;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code === 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? "\ufffd" : String.fromCodePoint(code);
  });
}

function stripTags(text: string): string {
  return unescapeHtml(splitWords(text.replace(/<!--[\s\S]*?-->|<[^>]*>/g, "")).join(" "));
}

function xmlAttributes(value: unknown, isSpaced: boolean): string {
  if (!isDict(value)) throw new JinjaError("xmlattr needs a dict");
  const parts = dictEntries(value)
    .filter(([, entry]) => entry !== null && !(entry instanceof Undefined))
    .map(([key, entry]) => {
      const name = textArgument("xmlattr", key);
      if (/[\s/>=]/.test(name)) throw new JinjaError(`xmlattr: invalid character in attribute name: ${name}`);
      return `${escapeHtml(name)}="${escapeValue(entry).text}"`;
    });
  return (isSpaced && parts.length > 0 ? " " : "") + parts.join(" ");
}

const unsafe: Record<string, string> = { "<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "'": "\\u0027" };

const escapeFilter = filter("escape", "", (_, value) => escapeValue(value));

export const htmlFilters: Record<string, Filter> = {
  escape: escapeFilter,
  e: escapeFilter,
  forceescape: filter("forceescape", "", (_, value) => new Markup(escapeHtml(pythonStr(value)))),
  safe: filter("safe", "", (_, value) => (value instanceof Markup ? value : new Markup(pythonStr(value)))),
  striptags: filter("striptags", "", (_, value) => stripTags(pythonStr(value))),
  xmlattr: filter("xmlattr", "autospace?", (_, value, autospace) =>
    xmlAttributes(value, autospace === undefined || isTruthy(autospace)),
  ),
  /** Jinja2's own: keys sorted, and fit to stand in HTML. */
  tojson: filter("tojson", "indent?", (_, value, indent) => {
    const spaces = indent === undefined || indent === null ? null : (textOf(indent) ?? Number(indent));
    const json = jsonDumps(value, { ensureAscii: true, indent: spaces, separators: null, sortKeys: true });
    return new Markup(json.replace(/[<>&']/g, (character) => unsafe[character]));
  }),
};
