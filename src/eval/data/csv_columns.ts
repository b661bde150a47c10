/** Columns of CSV documents, as pandas (`read_csv`), and so `datasets`, makes them of the texts of the cells. */
import type { JsonObject } from "../../data/document.ts";
import { pythonFloat, pythonInt } from "../../python/values.ts";

/** pandas' names of what is not there. */
const missing = new Set(
  "|#N/A|#N/A N/A|#NA|-1.#IND|-1.#QNAN|-NaN|-nan|1.#IND|1.#QNAN|<NA>|N/A|NA|NULL|NaN|None|n/a|nan|null".split("|"),
);
const integer = /^\s*[+-]?\d+\s*$/;
const float = /^\s*[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|inf|infinity)\s*$/i;
const boolean = /^(?:true|false)$/i;

const booleanOf = (text: string) => text.toLowerCase() === "true";
const integerOf = (text: string) => pythonInt(BigInt(text.trim().replace("+", "")));

function floatOf(text: string): unknown {
  const [, sign, infinite] = /^\s*([+-]?)(inf\w*)?/i.exec(text)!;
  return infinite ? (sign === "-" ? -1 : 1) * Number.POSITIVE_INFINITY : pythonFloat(Number(text));
}

/** @param rows cells as texts, null where a row is too short */
export function withCsvColumnTypes(rows: readonly JsonObject[]): JsonObject[] {
  const names = Object.keys(rows[0] ?? {});
  const columns = names.map((name) => [name, readerOf(rows.map((row) => row[name]))] as const);
  return rows.map((row) =>
    Object.fromEntries(columns.map(([name, read]) => [name, isMissing(row[name]) ? null : read(row[name] as string)])),
  );
}

function isMissing(cell: unknown): boolean {
  return cell === null || cell === undefined || missing.has(cell as string);
}

/** How the cells of a column are read. */
function readerOf(cells: readonly unknown[]): (text: string) => unknown {
  const texts = cells.filter((cell) => !isMissing(cell)) as string[];
  const all = (pattern: RegExp) => texts.every((text) => pattern.test(text));
  if (texts.length === 0) return (text) => text;
  // With a gap integers become floats.
  if (all(integer)) return texts.length === cells.length && texts.every(fits) ? integerOf : floatOf;
  if (all(float)) return floatOf;
  return all(boolean) ? booleanOf : (text) => text;
}

/** In 64 bits, with or without a sign. */
function fits(text: string): boolean {
  const value = BigInt(text.trim().replace("+", ""));
  return BigInt.asIntN(64, value) === value || BigInt.asUintN(64, value) === value;
}
