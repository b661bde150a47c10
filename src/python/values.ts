/**
 * Values as Python sees them: text (`str`, `repr`), truth, equality. Documents, templates and answers hold
 *
 * | Python | here |
 * | --- | --- |
 * | None, bool, str | null (or undefined), boolean, string |
 * | int | a safe integer; a bigint beyond 2^53 |
 * | float | a number if it cannot be taken for an int (6.5, nan, inf), else a `PythonFloat` (6.0, -0.0, 1e16) |
 * | list, tuple | an array, a `PythonTuple` |
 * | dict | a plain object |
 * | other types | a `PythonObject` |
 */
import { floatRepr } from "./float_text.ts";
import { PythonObject } from "./python_object.ts";
import { textRepr } from "./text_repr.ts";

/** A float that a number would not tell from an int. Counts as its number in JavaScript and in JSON. */
export class PythonFloat extends PythonObject {
  readonly typeName = "float";
  readonly value: number;

  constructor(value: number) {
    super();
    this.value = value;
  }

  override valueOf(): number {
    return this.value;
  }

  toJSON(): number {
    return this.value;
  }

  repr(): string {
    return floatRepr(this.value);
  }

  override isTruthy(): boolean {
    return this.value !== 0;
  }

  override equals(other: unknown): boolean {
    return isNumeric(other) && numericEqual(this.value, numberOf(other));
  }
}

/** An array in JavaScript; what is mapped, filtered or sliced from it is an ordinary one, a list. */
export class PythonTuple<T = unknown> extends Array<T> {
  /** A part by its name, in a named tuple. */
  attribute(_name: string): unknown {
    return undefined;
  }

  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
}

/** `tuple(items)`. */
export function pythonTuple<T>(items: Iterable<T>): PythonTuple<T> {
  return PythonTuple.from(items) as PythonTuple<T>;
}

/** The float `value`. */
export function pythonFloat(value: number): number | PythonFloat {
  return Number.isInteger(value) ? new PythonFloat(value) : value;
}

/** The int `value`; a number must be a whole one. */
export function pythonInt(value: number | bigint): number | bigint {
  if (typeof value === "number") return Number.isSafeInteger(value) ? value + 0 : BigInt(value);
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

/** An int, and no bool. */
export function isInteger(value: unknown): value is number | bigint {
  return typeof value === "bigint" || Number.isSafeInteger(value);
}

export function isFloat(value: unknown): value is number | PythonFloat {
  return value instanceof PythonFloat || (typeof value === "number" && !Number.isSafeInteger(value));
}

export type Numeric = number | bigint | boolean | PythonFloat;

/** An int, a float or a bool. */
export function isNumeric(value: unknown): value is Numeric {
  return (
    typeof value === "number" || typeof value === "bigint" || typeof value === "boolean" || value instanceof PythonFloat
  );
}

/** What the number is in JavaScript: True is 1, a `PythonFloat` its number. */
export function numberOf(value: Numeric): number | bigint {
  return typeof value === "bigint" ? value : Number(value);
}

function numericEqual(a: number | bigint, b: number | bigint): boolean {
  if (typeof a === typeof b) return a === b;
  const [whole, other] = typeof a === "bigint" ? [a, b as number] : [b as bigint, a];
  return Number.isInteger(other) && BigInt(other) === whole;
}

/** The text of a `str`; undefined for anything else. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return value instanceof PythonObject ? value.asText() : undefined;
}

/** A dict that is a plain object. */
export function isPlainDict(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value) && !(value instanceof PythonObject);
}

/** `type(value).__name__`. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return "NoneType";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string") return "str";
  if (isInteger(value)) return "int";
  if (typeof value === "number") return "float";
  if (typeof value === "function") return "function";
  if (value instanceof PythonObject) return value.typeName;
  if (Array.isArray(value)) return value instanceof PythonTuple ? "tuple" : "list";
  return "dict";
}

/** `str(value)`. */
export function pythonStr(value: unknown): string {
  if (typeof value === "string") return value;
  return value instanceof PythonObject ? value.str() : pythonRepr(value);
}

/** `repr(value)`. */
export function pythonRepr(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return textRepr(value);
  if (isInteger(value)) return String(value);
  if (typeof value === "number") return floatRepr(value);
  if (typeof value === "function") return `<function ${value.name}>`;
  if (value instanceof PythonObject) return value.repr();
  if (Array.isArray(value)) {
    const items = Array.from(value, pythonRepr);
    if (!(value instanceof PythonTuple)) return `[${items.join(", ")}]`;
    return items.length === 1 ? `(${items[0]},)` : `(${items.join(", ")})`;
  }
  const entries = Object.entries(value).map(([key, entry]) => `${textRepr(key)}: ${pythonRepr(entry)}`);
  return `{${entries.join(", ")}}`;
}

/** `bool(value)`: what is empty or zero is false, nan is not. */
export function isTruthy(value: unknown): boolean {
  if (typeof value === "number") return value !== 0;
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof PythonObject) return value.isTruthy();
  if (isPlainDict(value)) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** `a == b`: lists, tuples and dicts by content; `1 == 1.0 == True`. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (a instanceof PythonObject) return a.equals(b) || (b instanceof PythonObject && b.equals(a));
  if (b instanceof PythonObject) return b.equals(a);
  if (typeof a === "string" || typeof b === "string") return a === b;
  if (isNumeric(a) && isNumeric(b)) return numericEqual(numberOf(a), numberOf(b));
  if (Array.isArray(a) && Array.isArray(b)) {
    if (a instanceof PythonTuple !== b instanceof PythonTuple) return false;
    return a.length === b.length && a.every((item, i) => item === b[i] || isEqual(item, b[i]));
  }
  if (isPlainDict(a) && isPlainDict(b)) {
    const keys = Object.keys(a);
    return (
      keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key], b[key]))
    );
  }
  return (a ?? null) === (b ?? null);
}
