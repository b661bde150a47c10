/** Fields of rows by name, or by a path into nested objects: `meta.text`. A field that has dots in its name wins. */
import type { JsonObject } from "./document.ts";

/** The top-level field that `field` is or begins with: what a file of columns must read; undefined if it has none. */
export function columnOf(field: string, present: readonly string[]): string | undefined {
  if (present.includes(field)) return field;
  for (let dot = field.lastIndexOf("."); dot > 0; dot = field.lastIndexOf(".", dot - 1)) {
    if (present.includes(field.slice(0, dot))) return field.slice(0, dot);
  }
  return undefined;
}

/** The value of `field` in `row`; undefined if it is not there, null if it or an object around it is null. */
export function fieldValue(row: JsonObject, field: string): unknown {
  const column = columnOf(field, Object.keys(row));
  if (column === undefined) return undefined;
  const value = row[column];
  if (column === field || value === null) return value;
  const isObject = typeof value === "object" && !Array.isArray(value);
  return isObject ? fieldValue(value as JsonObject, field.slice(column.length + 1)) : undefined;
}
