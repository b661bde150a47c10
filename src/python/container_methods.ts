/** Methods of `list`, `tuple` and `dict`. */
import { append } from "../arrays/large_arrays.ts";
import { type Dict, dictDelete, dictEntries, dictGet, dictSet, isDict, PythonDict } from "./dict.ts";
import { PythonIterator, PythonView } from "./iterators.ts";
import { compareValues } from "./order.ts";
import { PythonError } from "./python_error.ts";
import { iterate } from "./sequences.ts";
import { type Callable, callable, type Kwargs } from "./signature.ts";
import { optionalNumber, requiredNumber } from "./text_parts.ts";
import { isEqual, isTruthy, PythonTuple, pythonRepr, pythonTuple } from "./values.ts";

type Method<T> = readonly [parameters: string, run: (value: T, ...args: never[]) => unknown];

function indexOf(list: readonly unknown[], wanted: unknown, start: unknown, stop: unknown): number {
  const range = list.slice(optionalNumber(start) ?? 0, optionalNumber(stop));
  const at = range.findIndex((item) => item === wanted || isEqual(item, wanted));
  if (at < 0) throw new PythonError(`${pythonRepr(wanted)} is not in list`);
  const begin = optionalNumber(start) ?? 0;
  return at + (begin < 0 ? Math.max(0, list.length + begin) : begin);
}

/** Those of tuples too. */
const readingMethods: Record<string, Method<unknown[]>> = {
  index: ["value start? stop?", indexOf],
  count: ["value", (list, wanted: unknown) => list.filter((item) => item === wanted || isEqual(item, wanted)).length],
};

const listMethods: Record<string, Method<unknown[]>> = {
  copy: ["", (list) => list.slice()],
  append: ["object", (list, item: unknown) => void list.push(item)],
  extend: ["iterable", (list, items: unknown) => append(list, iterate(items))],
  insert: ["index object", (list, index: unknown, item: unknown) => void list.splice(requiredNumber(index), 0, item)],
  clear: ["", (list) => void list.splice(0)],
  reverse: ["", (list) => void list.reverse()],
  remove: ["value", (list, item: unknown) => void list.splice(indexOf(list, item, null, null), 1)],
  pop: [
    "index?",
    (list, index: unknown) => {
      const at = optionalNumber(index) ?? -1;
      const [item] = list.splice(at, 1);
      if (item === undefined) throw new PythonError("pop index out of range");
      return item;
    },
  ],
  sort: [
    "key? reverse?",
    (list, key: unknown, reverse: unknown) => {
      if (key !== undefined && key !== null) throw new PythonError("sort(): key is not supported");
      // Reversed twice, so that equal items keep their order.
      if (isTruthy(reverse)) list.reverse().sort(compareValues).reverse();
      else list.sort(compareValues);
    },
  ],
};

const dictMethods: Record<string, Method<Dict>> = {
  keys: ["", (dict) => new PythonView(dict, "keys")],
  values: ["", (dict) => new PythonView(dict, "values")],
  items: ["", (dict) => new PythonView(dict, "items")],
  get: ["key default?", (dict, key: unknown, otherwise: unknown) => given(dictGet(dict, key), otherwise)],
  copy: ["", (dict) => new PythonDict(dictEntries(dict))],
  clear: ["", (dict) => dictEntries(dict).forEach(([key]) => void dictDelete(dict, key))],
  setdefault: [
    "key default?",
    (dict, key: unknown, otherwise: unknown) => {
      const found = dictGet(dict, key);
      if (found !== undefined) return found;
      dictSet(dict, key, otherwise ?? null);
      return otherwise ?? null;
    },
  ],
  pop: [
    "key default?",
    (dict, key: unknown, otherwise: unknown) => {
      const found = given(dictGet(dict, key), otherwise);
      if (found === undefined) throw new PythonError(`${pythonRepr(key)} is not in the dict`);
      dictDelete(dict, key);
      return found;
    },
  ],
  popitem: [
    "",
    (dict) => {
      const last = dictEntries(dict).at(-1);
      if (last === undefined) throw new PythonError("popitem(): dictionary is empty");
      dictDelete(dict, last[0]);
      return pythonTuple(last);
    },
  ],
};

/** The first that is there; None is. */
function given(found: unknown, otherwise: unknown): unknown {
  return found === undefined ? otherwise : found;
}

/** Methods that change their list or dict. */
export const mutatingMethods: ReadonlySet<string> = new Set(
  "append clear extend insert pop popitem remove reverse setdefault sort update".split(" "),
);

function pairOf(value: unknown, at: number): [unknown, unknown] {
  const items = [...iterate(value)];
  if (items.length === 2) return items as [unknown, unknown];
  throw new PythonError(`dictionary update sequence element #${at} has length ${items.length}; 2 is required`);
}

/** Pairs of `dict(mapping_or_pairs, **kwargs)`. */
export function dictArguments(args: readonly unknown[], kwargs: Kwargs): [unknown, unknown][] {
  if (args.length > 1) throw new PythonError(`dict expected at most 1 argument, got ${args.length}`);
  const [given] = args;
  const pairs = given === undefined ? [] : isDict(given) ? dictEntries(given) : Array.from(iterate(given), pairOf);
  return [...pairs, ...kwargs];
}

function bound<T>(methods: Record<string, Method<T>>, value: T, name: string): Callable | undefined {
  if (!Object.hasOwn(methods, name)) return undefined;
  const [parameters, run] = methods[name];
  return callable(name, parameters, (...args: never[]) => run(value, ...args) ?? null);
}

/** The method `name` of a list, tuple or dict; undefined if it has none. */
export function containerMethod(value: unknown, name: string): Callable | undefined {
  if (Array.isArray(value)) {
    const method = bound(readingMethods, value, name);
    return method ?? (value instanceof PythonTuple ? undefined : bound(listMethods, value, name));
  }
  if (!isDict(value)) return undefined;
  if (name === "update") {
    return (args, kwargs) => {
      for (const [key, item] of dictArguments(args, kwargs)) dictSet(value, key, item);
      return null;
    };
  }
  return bound(dictMethods, value, name);
}

/** `reversed(value)`; undefined if that is not possible. */
export function reversed(value: unknown): PythonIterator | undefined {
  if (value instanceof PythonIterator) return undefined;
  if (Array.isArray(value) || isDict(value) || value instanceof PythonView) {
    return new PythonIterator([...iterate(value)].reverse(), "reversed");
  }
  return undefined;
}
