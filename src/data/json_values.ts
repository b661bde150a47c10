/**
 * JSON text as Python's `json` reads it: an int stays apart from a float (7 and 7.0), large integers keep all digits, and NaN,
 * Infinity and -Infinity are read. What each value is here: src/python/values.ts.
 */
import { pythonFloat, pythonInt } from "../python/values.ts";

/** What `JSON.parse` would lose, or refuse: a float that is a whole number, more than 15 digits, NaN, Infinity. */
const special = /\d[.eE]|\d{16}|NaN|Infinity|-0/;
const number = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const space = /[ \t\n\r]*/y;
const words: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["true", true],
  ["false", false],
  ["null", null],
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
]);
const word = /-?[A-Za-z]+/y;
const deepest = 1000;

/**
 * The value of a JSON text.
 * @throws {SyntaxError} saying what is wrong at which character (from 1).
 */
export function parseJsonValues(text: string): unknown {
  if (!special.test(text)) {
    try {
      return JSON.parse(text);
    } catch {
      // Said below, with the place.
    }
  }
  return new JsonReader(text).document();
}

/** The value as JavaScript has it, which is quick; also read: NaN, Infinity. @throws {SyntaxError} as `parseJsonValues` */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return parseJsonValues(text);
  }
}

class JsonReader {
  private readonly text: string;
  private at = 0;
  private depth = 0;

  constructor(text: string) {
    this.text = text;
  }

  document(): unknown {
    const value = this.value();
    this.skipSpace();
    if (this.at < this.text.length) throw this.error("more than one value");
    return value;
  }

  private value(): unknown {
    this.skipSpace();
    const first = this.text[this.at];
    if (first === '"') return this.string();
    if (first !== "{" && first !== "[") return this.numberOrWord();
    if (++this.depth > deepest) throw this.error(`nested more than ${deepest} deep`);
    const value = first === "{" ? this.object() : this.array();
    this.depth--;
    return value;
  }

  private object(): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    this.list("}", () => {
      if (this.text[this.at] !== '"') throw this.error("a key in double quotes is expected");
      const key = this.string();
      this.skipSpace();
      if (this.text[this.at] !== ":") throw this.error("a colon is expected");
      this.at++;
      const value = this.value();
      // A plain assignment would change the prototype.
      if (key === "__proto__") Object.defineProperty(object, key, { value, enumerable: true, configurable: true });
      else object[key] = value;
    });
    return object;
  }

  private array(): unknown[] {
    const items: unknown[] = [];
    this.list("]", () => items.push(this.value()));
    return items;
  }

  /** What stands between the bracket here and `closing`, with commas. */
  private list(closing: string, item: () => void): void {
    this.at++;
    this.skipSpace();
    if (this.text[this.at] === closing) {
      this.at++;
      return;
    }
    for (;;) {
      this.skipSpace();
      item();
      this.skipSpace();
      const mark = this.text[this.at];
      if (mark !== "," && mark !== closing) throw this.error(`a comma or ${closing} is expected`);
      this.at++;
      if (mark === closing) return;
    }
  }

  private string(): string {
    const begin = this.at;
    let end = begin;
    let escaped = false;
    do {
      end = this.text.indexOf('"', end + 1);
      if (end < 0) throw this.error("a text without its closing quote");
      let backslashes = 0;
      while (this.text[end - 1 - backslashes] === "\\") backslashes++;
      escaped = backslashes % 2 === 1;
    } while (escaped);
    this.at = end + 1;
    try {
      return JSON.parse(this.text.slice(begin, end + 1));
    } catch {
      this.at = begin;
      throw this.error("a text with a control character or a wrong escape");
    }
  }

  private numberOrWord(): unknown {
    number.lastIndex = this.at;
    const match = number.exec(this.text);
    if (match !== null) {
      this.at = number.lastIndex;
      const isFloat = match[1] !== undefined || match[2] !== undefined;
      if (isFloat) return pythonFloat(Number(match[0]));
      return pythonInt(match[0].length < 16 ? Number(match[0]) : BigInt(match[0]));
    }
    word.lastIndex = this.at;
    const name = word.exec(this.text)?.[0] ?? "";
    if (!words.has(name)) throw this.error("a value is expected");
    this.at += name.length;
    return words.get(name);
  }

  private skipSpace(): void {
    space.lastIndex = this.at;
    space.test(this.text);
    this.at = space.lastIndex;
  }

  private error(what: string): SyntaxError {
    const found =
      this.at < this.text.length ? JSON.stringify(String.fromCodePoint(this.text.codePointAt(this.at)!)) : "the end";
    return new SyntaxError(`${what}, but there is ${found} (character ${this.at + 1})`);
  }
}
