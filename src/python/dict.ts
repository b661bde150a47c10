/** Dicts: plain objects, whose keys are texts, and `PythonDict`s, whose keys may be numbers, None and tuples of these. */
import { PythonError } from "./python_error.ts";
import { PythonObject } from "./python_object.ts";
import { isEqual, isFloat, isNumeric, isPlainDict, numberOf, PythonTuple, pythonRepr, typeName } from "./values.ts";

/**
 * A text that is the same for equal keys: 1, 1.0 and True have one.
 * @throws {PythonError} for lists and dicts
 */
export function hashKey(value: unknown): string {
  if (typeof value === "string") return `s${value}`;
  if (value === null || value === undefined) return "n";
  if (isNumeric(value)) {
    const number = numberOf(value);
    return `i${isFloat(value) && !Number.isInteger(Number(number)) ? number : BigInt(number)}`;
  }
  if (value instanceof PythonTuple) return `t${JSON.stringify(Array.from(value, hashKey))}`;
  if (typeof value === "function") return `f${value.name}`;
  const text = value instanceof PythonObject ? value.asText() : undefined;
  if (text !== undefined) return `s${text}`;
  const hash = value instanceof PythonObject ? value.hash() : undefined;
  if (hash !== undefined) return `o${hash}`;
  throw new PythonError(`unhashable type: '${typeName(value)}'`);
}

export class PythonDict extends PythonObject {
  readonly typeName = "dict";
  readonly #entries = new Map<string, [key: unknown, value: unknown]>();

  constructor(entries: Iterable<readonly [unknown, unknown]> = []) {
    super();
    for (const [key, value] of entries) this.set(key, value);
  }

  set(key: unknown, value: unknown): void {
    const hash = hashKey(key);
    const entry = this.#entries.get(hash);
    if (entry) entry[1] = value;
    else this.#entries.set(hash, [key, value]);
  }

  has(key: unknown): boolean {
    return this.#entries.has(hashKey(key));
  }

  override item(key: unknown): unknown {
    return this.#entries.get(hashKey(key))?.[1];
  }

  delete(key: unknown): void {
    this.#entries.delete(hashKey(key));
  }

  entries(): [unknown, unknown][] {
    return [...this.#entries.values()];
  }

  override length(): number {
    return this.#entries.size;
  }

  override isTruthy(): boolean {
    return this.#entries.size > 0;
  }

  override hash(): undefined {
    return undefined;
  }

  override iterate(): Iterable<unknown> {
    return this.entries().map(([key]) => key);
  }

  override equals(other: unknown): boolean {
    if (!isDict(other) || dictSize(other) !== this.#entries.size) return false;
    return this.entries().every(([key, value]) => {
      const found = dictGet(other, key);
      return found !== undefined && isEqual(value, found);
    });
  }

  repr(): string {
    return `{${this.entries()
      .map(([key, value]) => `${pythonRepr(key)}: ${pythonRepr(value)}`)
      .join(", ")}}`;
  }

  /** A plain object, as far as keys are texts in JSON too. */
  toJSON(): Record<string, unknown> {
    return Object.fromEntries(this.entries().map(([key, value]) => [String(key), value]));
  }
}

export type Dict = PythonDict | Record<string, unknown>;

export function isDict(value: unknown): value is Dict {
  return value instanceof PythonDict || isPlainDict(value);
}

export function dictEntries(dict: Dict): [unknown, unknown][] {
  return dict instanceof PythonDict ? dict.entries() : Object.entries(dict);
}

export function dictSize(dict: Dict): number {
  return dict instanceof PythonDict ? dict.length() : Object.keys(dict).length;
}

/** `dict[key]`; undefined if there is none. */
export function dictGet(dict: Dict, key: unknown): unknown {
  if (dict instanceof PythonDict) return dict.item(key);
  const text = key instanceof PythonObject ? key.asText() : key;
  if (typeof text !== "string") {
    hashKey(key);
    return undefined;
  }
  return Object.hasOwn(dict, text) ? (dict[text] ?? null) : undefined;
}

/** `dict[key] = value`; numbers as keys of a plain object become texts, as in JSON. */
export function dictSet(dict: Dict, key: unknown, value: unknown): void {
  if (dict instanceof PythonDict) dict.set(key, value);
  else dict[String(key)] = value;
}

export function dictDelete(dict: Dict, key: unknown): void {
  if (dict instanceof PythonDict) dict.delete(key);
  else delete dict[String(key)];
}
