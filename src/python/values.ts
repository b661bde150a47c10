/**
 * JSON values as Python sees them: text (`str`, `repr`), truth, equality, and literals read back
 * (`ast.literal_eval`). Task templates and answers are compared through these.
 */

/** `str(value)`. */
export function pythonStr(value: unknown): string {
  return typeof value === "string" ? value : pythonRepr(value);
}

/** `repr(value)` of a JSON value. */
export function pythonRepr(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return textRepr(value);
  if (Array.isArray(value)) return `[${value.map(pythonRepr).join(", ")}]`;
  if (typeof value === "object") {
    const entries = Object.entries(value).map(([key, entry]) => `${textRepr(key)}: ${pythonRepr(entry)}`);
    return `{${entries.join(", ")}}`;
  }
  return String(value);
}

const escapes: Record<string, string> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Printable characters stay; the rest becomes an escape. Single quotes unless the text has some and no double ones. */
function textRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let body = "";
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (character === quote) body += `\\${quote}`;
    else if (character in escapes) body += escapes[character];
    else if (character !== " " && /[\p{C}\p{Z}]/u.test(character)) body += codeEscape(code);
    else body += character;
  }
  return `${quote}${body}${quote}`;
}

function codeEscape(code: number): string {
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}

/** `bool(value)`. */
export function isTruthy(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (value !== null && typeof value === "object") return Object.keys(value).length > 0;
  return Boolean(value);
}

/** `a == b`: lists and dictionaries by content; True equals 1. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (typeof a === "boolean" && typeof b !== "boolean") return isEqual(Number(a), b);
  if (typeof b === "boolean" && typeof a !== "boolean") return isEqual(a, Number(b));
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => isEqual(item, b[i]));
  if (a !== null && b !== null && typeof a === "object" && typeof b === "object") {
    const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
    const keys = Object.keys(left);
    return (
      Array.isArray(a) === Array.isArray(b) &&
      keys.length === Object.keys(right).length &&
      keys.every((key) => key in right && isEqual(left[key], right[key]))
    );
  }
  return (a ?? null) === (b ?? null);
}

const token =
  /\s*(?:(-?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)|(True|False|None)|('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|([[\](),]))/suy;
const unescaped: Record<string, string> = { n: "\n", r: "\r", t: "\t", "\n": "" };
const escapeSequence = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/gsu;

/** `ast.literal_eval` of numbers, texts, True, False, None, lists and tuples. Undefined if `text` is something else. */
export function parseLiteral(text: string): unknown {
  const tokens: string[][] = [];
  token.lastIndex = 0;
  const end = text.trimEnd().length;
  while (token.lastIndex < end) {
    const match = token.exec(text);
    if (match === null) return undefined;
    tokens.push(match);
  }
  let next = 0;
  const read = (): unknown => {
    const [, number, word, quoted, mark] = tokens[next++] ?? [];
    if (number !== undefined) return Number(number);
    if (word !== undefined) return word === "None" ? null : word === "True";
    if (quoted !== undefined) return withoutEscapes(quoted.slice(1, -1));
    const closing = mark === "[" ? "]" : mark === "(" ? ")" : undefined;
    if (closing === undefined) return undefined;
    const items: unknown[] = [];
    while (tokens[next]?.[4] !== closing) {
      const item = read();
      if (item === undefined) return undefined;
      items.push(item);
      if (tokens[next]?.[4] === ",") next++;
      else if (tokens[next]?.[4] !== closing) return undefined;
    }
    next++;
    return items;
  };
  const value = read();
  return next === tokens.length ? value : undefined;
}

function withoutEscapes(body: string): string {
  return body.replace(escapeSequence, (_, byte, short, long, other) => {
    const code = byte ?? short ?? long;
    if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16));
    return unescaped[other] ?? (/[\\'"]/.test(other) ? other : `\\${other}`);
  });
}
