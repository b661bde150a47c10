/** `iter`, `len`, `in` and `value[key]` of any value. */
import { dictGet, dictSize, isDict } from "./dict.ts";
import { PythonView } from "./iterators.ts";
import { PythonError } from "./python_error.ts";
import { PythonObject } from "./python_object.ts";
import { hasPairs, textLength } from "./text.ts";
import { isEqual, isInteger, isPlainDict, typeName } from "./values.ts";

function iterableOf(value: unknown): Iterable<unknown> | undefined {
  if (Array.isArray(value) || typeof value === "string") return value;
  if (value instanceof PythonObject) return value.iterate() ?? value.asText();
  return isPlainDict(value) ? Object.keys(value) : undefined;
}

/** True if `iter(value)` is possible. */
export function isIterable(value: unknown): boolean {
  return iterableOf(value) !== undefined;
}

/**
 * `iter(value)`: items, characters, keys.
 * @throws {PythonError}
 */
export function iterate(value: unknown): Iterable<unknown> {
  const items = iterableOf(value);
  if (items === undefined) throw new PythonError(`'${typeName(value)}' object is not iterable`);
  return items;
}

/** `len(value)`; undefined if it has none. */
export function tryLength(value: unknown): number | undefined {
  if (Array.isArray(value)) return value.length;
  const text = value instanceof PythonObject ? value.asText() : value;
  if (typeof text === "string") return textLength(text);
  if (value instanceof PythonObject) return value.length();
  return isPlainDict(value) ? dictSize(value) : undefined;
}

/**
 * `len(value)`.
 * @throws {PythonError}
 */
export function lengthOf(value: unknown): number {
  const length = tryLength(value);
  if (length === undefined) throw new PythonError(`object of type '${typeName(value)}' has no len()`);
  return length;
}

function textItem(text: string, index: number): string | undefined {
  if (!hasPairs(text)) return text.at(index);
  return [...text].at(index);
}

/** `value[key]`; undefined if there is none, or the value has no items. */
export function itemOf(value: unknown, key: unknown): unknown {
  if (isDict(value)) return dictGet(value, key);
  if (typeof value === "string" || Array.isArray(value)) {
    if (typeof key !== "boolean" && !isInteger(key)) return undefined;
    if (typeof value === "string") return textItem(value, Number(key));
    const index = Number(key) < 0 ? Number(key) + value.length : Number(key);
    return index >= 0 && index < value.length ? (value[index] ?? null) : undefined;
  }
  return value instanceof PythonObject ? value.item(key) : undefined;
}

/**
 * `item in container`.
 * @throws {PythonError}
 */
export function contains(container: unknown, item: unknown): boolean {
  const text = container instanceof PythonObject ? container.asText() : container;
  if (typeof text === "string") {
    const part = item instanceof PythonObject ? (item.asText() ?? item) : item;
    if (typeof part === "string") return text.includes(part);
    throw new PythonError(`'in <string>' requires string as left operand, not ${typeName(item)}`);
  }
  if (isDict(container)) return dictGet(container, item) !== undefined;
  if (container instanceof PythonView) {
    const found = container.hasKey(item);
    if (found !== undefined) return found;
  }
  if (!isIterable(container)) throw new PythonError(`argument of type '${typeName(container)}' is not iterable`);
  for (const candidate of iterate(container)) if (candidate === item || isEqual(candidate, item)) return true;
  return false;
}
