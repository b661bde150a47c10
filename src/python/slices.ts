/** `value[start:stop:step]`. */
import { PythonError } from "./python_error.ts";
import { characters } from "./text.ts";
import { isInteger, PythonTuple, pythonTuple } from "./values.ts";

function bound(value: unknown): number | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === "boolean" || isInteger(value)) return Number(value);
  throw new PythonError("slice indices must be integers or None or have an __index__ method");
}

/** Indices that a slice takes, as `range(*slice.indices(length))` gives them. */
export function* sliceIndices(length: number, start: unknown, stop: unknown, step: unknown): Generator<number> {
  const by = bound(step) ?? 1;
  if (by === 0) throw new PythonError("slice step cannot be zero");
  const [least, most] = by > 0 ? [0, length] : [-1, length - 1];
  const clamp = (value: number | undefined, otherwise: number) =>
    value === undefined ? otherwise : Math.min(most, Math.max(least, value < 0 ? value + length : value));
  const [begin, end] = [clamp(bound(start), by > 0 ? 0 : most), clamp(bound(stop), by > 0 ? length : -1)];
  for (let i = begin; by > 0 ? i < end : i > end; i += by) yield i;
}

/** A slice of a text, list or tuple, of the same kind; undefined of anything else. */
export function sliceOf(value: unknown, start: unknown, stop: unknown, step: unknown): unknown {
  if (typeof value !== "string" && !Array.isArray(value)) return undefined;
  const items = typeof value === "string" ? characters(value) : value;
  const taken = Array.from(sliceIndices(items.length, start, stop, step), (i) => items[i]);
  if (typeof value === "string") return taken.join("");
  return value instanceof PythonTuple ? pythonTuple(taken) : taken;
}
