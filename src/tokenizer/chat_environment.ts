/** What chat templates are rendered in: transformers' settings, filters and functions (`apply_chat_template`). */
import { builtInTests } from "../jinja/built_in_tests.ts";
import type { Environment } from "../jinja/environment.ts";
import { builtInFilters } from "../jinja/filters/built_in_filters.ts";
import { filter } from "../jinja/filters/filter.ts";
import { defaultGlobals } from "../jinja/globals.ts";
import { RaisedError } from "../jinja/jinja_error.ts";
import { jsonDumps } from "../python/json.ts";
import { callable } from "../python/signature.ts";
import { strftime } from "../python/strftime.ts";
import { isTruthy, pythonStr, textOf } from "../python/values.ts";

/** Unlike Jinja2's own it keeps characters and the order of keys, and lets templates choose. */
const toJson = filter(
  "tojson",
  "ensure_ascii? indent? separators? sort_keys?",
  (_, value, ensureAscii, indent, separators, sortKeys) => {
    const isGiven = (argument: unknown) => argument !== undefined && argument !== null;
    return jsonDumps(value, {
      ensureAscii: isTruthy(ensureAscii),
      indent: isGiven(indent) ? (textOf(indent) ?? Number(indent)) : null,
      separators: isGiven(separators) ? (Array.from(separators as Iterable<string>) as [string, string]) : null,
      sortKeys: isTruthy(sortKeys),
    });
  },
);

const raiseException = callable("raise_exception", "message", (message: unknown) => {
  throw new RaisedError(pythonStr(message));
});

const strftimeNow = callable("strftime_now", "format", (format: unknown) => strftime(new Date(), pythonStr(format)));

export const chatEnvironment: Environment = {
  trimBlocks: true,
  lstripBlocks: true,
  keepTrailingNewline: false,
  extensions: ["loop controls", "generation"],
  strictUndefined: false,
  sandboxed: true,
  filters: { ...builtInFilters, tojson: toJson },
  tests: builtInTests,
  globals: new Map([...defaultGlobals(true), ["raise_exception", raiseException], ["strftime_now", strftimeNow]]),
};
