/** Literals of Python read back (`ast.literal_eval`). */
import { pythonFloat, pythonInt, pythonTuple } from "./values.ts";

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
    if (number !== undefined) return numberLiteral(number);
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
    return mark === "(" ? pythonTuple(items) : items;
  };
  const value = read();
  return next === tokens.length ? value : undefined;
}

function numberLiteral(text: string): unknown {
  return /[.eE]/.test(text) ? pythonFloat(Number(text)) : pythonInt(BigInt(text));
}

function withoutEscapes(body: string): string {
  return body.replace(escapeSequence, (_, byte, short, long, other) => {
    const code = byte ?? short ?? long;
    if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16));
    return unescaped[other] ?? (/[\\'"]/.test(other) ? other : `\\${other}`);
  });
}
