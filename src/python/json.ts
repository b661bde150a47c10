/** `json.dumps`. */
import { dictEntries, isDict } from "./dict.ts";
import { floatRepr } from "./float_text.ts";
import { compareValues } from "./order.ts";
import { PythonError } from "./python_error.ts";
import { isFloat, isInteger, pythonStr, textOf, typeName } from "./values.ts";

export interface JsonOptions {
  ensureAscii: boolean;
  /** Blanks or a text for each level; null: one line. */
  indent: number | string | null;
  /** Between items, and behind keys; null: json's own. */
  separators: readonly [string, string] | null;
  sortKeys: boolean;
}

const escapes: Record<string, string> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\f": "\\f",
  "\b": "\\b",
};
const unit = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

function jsonText(text: string, ensureAscii: boolean): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes them.
  const special = ensureAscii ? /["\\\0-\x1f]|[^ -~]/g : /["\\\0-\x1f]/g;
  return `"${text.replace(special, (character) => escapes[character] ?? unit(character))}"`;
}

function floatJson(value: number): string {
  if (Number.isFinite(value)) return floatRepr(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

function scalarJson(value: unknown): string | undefined {
  if (value === null) return "null";
  if (typeof value === "boolean") return String(value);
  if (isInteger(value)) return String(value);
  return isFloat(value) ? floatJson(Number(value)) : undefined;
}

/**
 * `json.dumps(value, ...)`.
 * @throws {PythonError} for what JSON does not have
 */
export function jsonDumps(value: unknown, { ensureAscii, indent, separators, sortKeys }: JsonOptions): string {
  const step = typeof indent === "number" ? " ".repeat(Math.max(0, indent)) : indent;
  const [itemEnd, keyEnd] = separators ?? [step === null ? ", " : ",", ": "];
  const block = (open: string, close: string, parts: string[], margin: string): string => {
    if (parts.length === 0) return open + close;
    if (step === null) return open + parts.join(itemEnd) + close;
    return `${open}\n${margin}${step}${parts.join(`${itemEnd}\n${margin}${step}`)}\n${margin}${close}`;
  };
  const dump = (entry: unknown, margin: string): string => {
    const text = textOf(entry);
    if (text !== undefined) return jsonText(text, ensureAscii);
    const scalar = scalarJson(entry);
    if (scalar !== undefined) return scalar;
    const inner = margin + (step ?? "");
    if (Array.isArray(entry)) {
      return block(
        "[",
        "]",
        Array.from(entry, (item) => dump(item, inner)),
        margin,
      );
    }
    if (!isDict(entry)) throw new PythonError(`Object of type ${typeName(entry)} is not JSON serializable`);
    const entries = dictEntries(entry);
    if (sortKeys) entries.sort(([a], [b]) => compareValues(a, b));
    const parts = entries.map(([key, item]) => {
      const name = textOf(key) ?? scalarJson(key);
      if (name === undefined) throw new PythonError(`keys must be str, int, float, bool or None, not ${typeName(key)}`);
      return jsonText(pythonStr(name), ensureAscii) + keyEnd + dump(item, inner);
    });
    return block("{", "}", parts, margin);
  };
  return dump(value, "");
}
