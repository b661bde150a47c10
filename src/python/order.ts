/** Python's order of values. */
import { PythonError } from "./python_error.ts";
import { PythonObject } from "./python_object.ts";
import { isEqual, isNumeric, numberOf, PythonTuple, textOf, typeName } from "./values.ts";

/** `a < b` of texts: by code points. (JavaScript orders by UTF-16 units.) */
function isTextLess(a: string, b: string): boolean {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a.charCodeAt(i) !== b.charCodeAt(i)) {
      // Halves of characters beyond U+FFFF come after all others.
      const isHalf = (unit: number) => unit >= 0xd800 && unit < 0xe000;
      const [left, right] = [a.charCodeAt(i), b.charCodeAt(i)];
      return isHalf(left) === isHalf(right) ? left < right : isHalf(right);
    }
  }
  return a.length < b.length;
}

/**
 * `a < b`: numbers, texts, and lists or tuples by their first difference.
 * @throws {PythonError} if the two have no order
 */
export function isLess(a: unknown, b: unknown): boolean {
  const [left, right] = [textOf(a), textOf(b)];
  if (left !== undefined && right !== undefined) return isTextLess(left, right);
  // JavaScript compares a number with a bigint exactly.
  if (isNumeric(a) && isNumeric(b)) return numberOf(a) < numberOf(b);
  if (Array.isArray(a) && Array.isArray(b) && a instanceof PythonTuple === b instanceof PythonTuple) {
    const at = a.findIndex((item, i) => i >= b.length || !isEqual(item, b[i]));
    if (at < 0) return a.length < b.length;
    return at < b.length && isLess(a[at], b[at]);
  }
  const less = a instanceof PythonObject ? a.isLess(b) : undefined;
  if (less !== undefined) return less;
  throw new PythonError(`'<' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`);
}

/** For `Array.prototype.sort`, which then gives the order of Python's `sorted`. */
export function compareValues(a: unknown, b: unknown): number {
  if (isLess(a, b)) return -1;
  return isLess(b, a) ? 1 : 0;
}
