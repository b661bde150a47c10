/** Filters of lists and dicts. */
import { binary } from "../../python/arithmetic.ts";
import { reversed } from "../../python/container_methods.ts";
import { dictEntries, hashKey, isDict } from "../../python/dict.ts";
import { PythonIterator } from "../../python/iterators.ts";
import { compareValues, isLess } from "../../python/order.ts";
import { PythonError } from "../../python/python_error.ts";
import { iterate, lengthOf } from "../../python/sequences.ts";
import { sliceOf } from "../../python/slices.ts";
import { flagArgument } from "../../python/text_parts.ts";
import { isEqual, isTruthy, PythonTuple, pythonTuple, textOf, typeName } from "../../python/values.ts";
import { onlyAttributeOf, undefinedOf } from "../attributes.ts";
import type { Environment, Filter } from "../environment.ts";
import { JinjaError } from "../jinja_error.ts";
import { Markup } from "../markup.ts";
import { Undefined } from "../undefined.ts";
import { attributeGetter, filter, ignoreCase, numberArgument } from "./filter.ts";

/** `sorted(items, key=key, reverse=reverse)`: equal items keep their order, in reverse too. */
function sorted(items: Iterable<unknown>, key: (item: unknown) => unknown, isReverse: boolean): unknown[] {
  const keyed = Array.from(items, (item) => [key(item), item] as const);
  if (isReverse) keyed.reverse();
  keyed.sort(([a], [b]) => compareValues(a, b));
  if (isReverse) keyed.reverse();
  return keyed.map(([, item]) => item);
}

const caseOf = (isCaseSensitive: unknown) => (isTruthy(isCaseSensitive) ? (value: unknown) => value : ignoreCase);

function sortItems(
  environment: Environment,
  value: unknown,
  isReverse: unknown,
  isCaseSensitive: unknown,
  attribute: unknown,
) {
  const paths = textOf(attribute)?.split(",") ?? [attribute];
  const getters = paths.map((path) => attributeGetter(environment, path, { postprocess: caseOf(isCaseSensitive) }));
  return sorted(iterate(value), (item) => getters.map((get) => get(item)), flagArgument(isReverse));
}

/** One group: a tuple whose parts have names. */
class GroupTuple extends PythonTuple {
  override attribute(name: string): unknown {
    return name === "grouper" ? this[0] : name === "list" ? this[1] : undefined;
  }
}

function groupItems(
  environment: Environment,
  value: unknown,
  attribute: unknown,
  otherwise: unknown,
  isCaseSensitive: unknown,
) {
  const key = attributeGetter(environment, attribute, { postprocess: caseOf(isCaseSensitive), otherwise });
  const name = attributeGetter(environment, attribute, { otherwise });
  const groups: unknown[][] = [];
  for (const item of sorted(iterate(value), key, false)) {
    const last = groups.at(-1);
    if (last && isEqual(key(last[0]), key(item))) last.push(item);
    else groups.push([item]);
  }
  return groups.map((items) => GroupTuple.from([name(items[0]), items]));
}

function* uniqueItems(environment: Environment, value: unknown, isCaseSensitive: unknown, attribute: unknown) {
  const key = attributeGetter(environment, attribute, { postprocess: caseOf(isCaseSensitive) });
  const seen = new Set<string>();
  for (const item of iterate(value)) {
    const hash = hashKey(key(item));
    if (!seen.has(hash)) yield item;
    seen.add(hash);
  }
}

function* batches(value: unknown, size: number, fill: unknown): Generator<unknown[]> {
  let batch: unknown[] = [];
  for (const item of iterate(value)) {
    if (batch.length === size) {
      yield batch;
      batch = [];
    }
    batch.push(item);
  }
  if (batch.length === 0) return;
  if (fill !== undefined && fill !== null) while (batch.length < size) batch.push(fill);
  yield batch;
}

function* columns(value: unknown, count: number, fill: unknown): Generator<unknown[]> {
  const items = [...iterate(value)];
  const size = Math.floor(items.length / count);
  const longer = items.length % count;
  for (let i = 0, begin = 0; i < count; i++) {
    const end = begin + size + (i < longer ? 1 : 0);
    const column = items.slice(begin, end);
    if (fill !== undefined && fill !== null && i >= longer) column.push(fill);
    yield column;
    begin = end;
  }
}

/** `min` and `max`. @param isBetter of two keys, the first */
function extreme(name: string, isBetter: (a: unknown, b: unknown) => boolean): Filter {
  return filter(name, "case_sensitive? attribute?", (environment, value, isCaseSensitive, attribute) => {
    const key = attributeGetter(environment, attribute, { postprocess: caseOf(isCaseSensitive) });
    const items = [...iterate(value)];
    if (items.length === 0) return undefinedOf(environment, "No aggregated item, sequence was empty.");
    return items.reduce((best, item) => (isBetter(key(item), key(best)) ? item : best));
  });
}

function total(environment: Environment, value: unknown, attribute: unknown, start: unknown): unknown {
  if (textOf(start) !== undefined) throw new PythonError("sum() can't sum strings [use ''.join(seq) instead]");
  const get = attributeGetter(environment, attribute);
  let sum: unknown = start ?? 0;
  for (const item of iterate(value)) sum = binary("+", sum, get(item));
  return sum;
}

function lastOf(environment: Environment, value: unknown): unknown {
  if (value instanceof PythonIterator) throw new PythonError(`'${typeName(value)}' object is not reversible`);
  const items = [...iterate(value)];
  return items.length === 0 ? undefinedOf(environment, "No last item, sequence was empty.") : items[items.length - 1];
}

function pairsOf(value: unknown): unknown[] {
  if (!isDict(value)) throw new PythonError("Can only get item pairs from a mapping.");
  return dictEntries(value).map(pythonTuple);
}

function sortDict(value: unknown, isCaseSensitive: unknown, by: unknown, isReverse: unknown): unknown[] {
  const at = by === undefined || by === "key" ? 0 : by === "value" ? 1 : -1;
  if (at < 0) throw new JinjaError('dictsort: You can only sort by either "key" or "value"');
  if (value instanceof Undefined) value.fail();
  const postprocess = caseOf(isCaseSensitive);
  return sorted(pairsOf(value), (pair) => postprocess((pair as unknown[])[at]), isTruthy(isReverse));
}

function reverse(value: unknown): unknown {
  const text = textOf(value);
  if (text !== undefined) {
    const backwards = sliceOf(text, null, null, -1) as string;
    return value instanceof Markup ? new Markup(backwards) : backwards;
  }
  return reversed(value) ?? [...iterate(value)].reverse();
}

function refused(name: string, why: string): Filter {
  return () => {
    throw new JinjaError(`the filter ${name} is not supported: ${why}`);
  };
}

const length = filter("length", "", (_, value) => lengthOf(value));
const otherwise = filter("default", "default_value? boolean?", (_, value, replacement, boolean) =>
  value instanceof Undefined || (isTruthy(boolean) && !isTruthy(value))
    ? replacement === undefined
      ? ""
      : replacement
    : value,
);

export const sequenceFilters: Record<string, Filter> = {
  length,
  count: length,
  default: otherwise,
  d: otherwise,
  list: filter("list", "", (_, value) => [...iterate(value)]),
  first: filter("first", "", (environment, value) => {
    for (const item of iterate(value)) return item;
    return undefinedOf(environment, "No first item, sequence was empty.");
  }),
  last: filter("last", "", lastOf),
  items: filter("items", "", (_, value) => new PythonIterator(value instanceof Undefined ? [] : pairsOf(value))),
  dictsort: filter("dictsort", "case_sensitive? by? reverse?", (_, value, isCaseSensitive, by, isReverse) =>
    sortDict(value, isCaseSensitive, by, isReverse),
  ),
  sort: filter("sort", "reverse? case_sensitive? attribute?", sortItems),
  unique: filter(
    "unique",
    "case_sensitive? attribute?",
    (environment, value, isCaseSensitive, attribute) =>
      new PythonIterator(uniqueItems(environment, value, isCaseSensitive, attribute)),
  ),
  groupby: filter("groupby", "attribute default? case_sensitive?", groupItems),
  batch: filter(
    "batch",
    "linecount fill_with?",
    (_, value, size, fill) => new PythonIterator(batches(value, numberArgument("batch", size, 0), fill)),
  ),
  slice: filter(
    "slice",
    "slices fill_with?",
    (_, value, count, fill) => new PythonIterator(columns(value, numberArgument("slice", count, 0), fill)),
  ),
  min: extreme("min", (a, b) => isLess(a, b)),
  max: extreme("max", (a, b) => isLess(b, a)),
  sum: filter("sum", "attribute? start?", total),
  reverse: filter("reverse", "", (_, value) => reverse(value)),
  attr: filter("attr", "name", (environment, value, name) => onlyAttributeOf(environment, value, textOf(name) ?? "")),
  random: refused("random", "renderings would differ"),
  urlize: refused("urlize", "templates here write no HTML"),
};
