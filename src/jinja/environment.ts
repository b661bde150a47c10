/** What templates are rendered in: settings, filters, tests, global names. */
import type { Kwargs } from "../python/signature.ts";
import type { ParserOptions } from "./parser.ts";

/** @returns the filtered value */
export type Filter = (environment: Environment, value: unknown, args: readonly unknown[], kwargs: Kwargs) => unknown;
export type Test = (environment: Environment, value: unknown, args: readonly unknown[], kwargs: Kwargs) => boolean;

export interface Environment extends ParserOptions {
  /** A value that is missing fails where it is printed or tested (Jinja2's `StrictUndefined`). */
  strictUndefined: boolean;
  /** Templates come from strangers: they change nothing that they are given, and see no internals. */
  sandboxed: boolean;
  filters: Readonly<Record<string, Filter>>;
  tests: Readonly<Record<string, Test>>;
  globals: ReadonlyMap<string, unknown>;
}
