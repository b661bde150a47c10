/** Filters that apply a filter, a test or an attribute to each item, when the items are asked for. */
import { PythonIterator } from "../../python/iterators.ts";
import { iterate } from "../../python/sequences.ts";
import type { Kwargs } from "../../python/signature.ts";
import { isTruthy, pythonRepr, textOf } from "../../python/values.ts";
import type { Environment, Filter } from "../environment.ts";
import { JinjaError } from "../jinja_error.ts";
import { attributeGetter } from "./filter.ts";

function mapping(environment: Environment, args: readonly unknown[], kwargs: Kwargs): (item: unknown) => unknown {
  if (args.length === 0 && kwargs.has("attribute")) {
    const { attribute, default: otherwise, ...others } = Object.fromEntries(kwargs);
    const [unexpected] = Object.keys(others);
    if (unexpected !== undefined) throw new JinjaError(`map: Unexpected keyword argument '${unexpected}'`);
    return attributeGetter(environment, attribute, { otherwise });
  }
  if (args.length === 0) throw new JinjaError("map requires a filter argument");
  const name = textOf(args[0]) ?? "";
  if (!Object.hasOwn(environment.filters, name)) throw new JinjaError(`No filter named ${pythonRepr(args[0])}.`);
  return (item) => environment.filters[name](environment, item, args.slice(1), kwargs);
}

function predicate(
  environment: Environment,
  args: readonly unknown[],
  kwargs: Kwargs,
  looksUp: boolean,
): (item: unknown) => boolean {
  if (looksUp && args.length === 0) throw new JinjaError("Missing parameter for attribute name");
  const get = looksUp ? attributeGetter(environment, args[0]) : (item: unknown) => item;
  const [name, ...rest] = looksUp ? args.slice(1) : args;
  if (name === undefined) return (item) => isTruthy(get(item));
  const test = textOf(name) ?? "";
  if (!Object.hasOwn(environment.tests, test)) throw new JinjaError(`No test named ${pythonRepr(name)}.`);
  return (item) => environment.tests[test](environment, get(item), rest, kwargs);
}

/** Nothing is looked at before the first item is asked for. */
function lazily(value: unknown, items: () => Iterable<unknown>): PythonIterator {
  const generate = function* () {
    if (isTruthy(value)) yield* items();
  };
  return new PythonIterator(generate());
}

function selection(looksUp: boolean, wanted: boolean): Filter {
  return (environment, value, args, kwargs) =>
    lazily(value, function* () {
      const holds = predicate(environment, args, kwargs, looksUp);
      for (const item of iterate(value)) if (holds(item) === wanted) yield item;
    });
}

export const mappingFilters: Record<string, Filter> = {
  map: (environment, value, args, kwargs) =>
    lazily(value, function* () {
      const apply = mapping(environment, args, kwargs);
      for (const item of iterate(value)) yield apply(item);
    }),
  select: selection(false, true),
  reject: selection(false, false),
  selectattr: selection(true, true),
  rejectattr: selection(true, false),
};
