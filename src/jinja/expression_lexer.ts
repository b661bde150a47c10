/** Tokens between `{{` or `{%` and its end. */
import { whitespaceClass } from "../python/whitespace.ts";
import { JinjaError } from "./jinja_error.ts";
import { floatLiteral, integerLiteral, stringLiteral } from "./literals.ts";
import type { Token } from "./tokens.ts";

const patterns = {
  space: new RegExp(`[${whitespaceClass}]+`, "y"),
  float: /(?<!\.)(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iy,
  integer: /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy,
  name: /[\p{XIDS}_]\p{XIDC}*/uy,
  string: /'([^'\\]*(?:\\[\s\S][^'\\]*)*)'|"([^"\\]*(?:\\[\s\S][^"\\]*)*)"/y,
  operator: /\/\/|\*\*|==|!=|>=|<=|[+\-/*%~[\](){}><=.:|,;]/y,
};
const closing: Record<string, string> = { "(": ")", "[": "]", "{": "}" };

function match(pattern: RegExp, source: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(source);
}

/** Reads tokens of one tag, and knows which brackets are open: `}}` ends nothing inside of them. */
export class ExpressionLexer {
  readonly #source: string;
  readonly #open: string[] = [];

  constructor(source: string) {
    this.#source = source;
  }

  get isInBrackets(): boolean {
    return this.#open.length > 0;
  }

  /**
   * The token at `at` and where it ends; no token for white space.
   * @throws {JinjaError}
   */
  read(at: number, line: number): [token: Token | null, end: number] {
    const source = this.#source;
    const space = match(patterns.space, source, at);
    if (space) return [null, at + space[0].length];
    const float = match(patterns.float, source, at);
    if (float) return [{ type: "number", value: floatLiteral(float[0]), line }, at + float[0].length];
    const integer = match(patterns.integer, source, at);
    if (integer) return [{ type: "number", value: integerLiteral(integer[0]), line }, at + integer[0].length];
    const name = match(patterns.name, source, at);
    if (name) return [{ type: "name", value: name[0], line }, at + name[0].length];
    const text = match(patterns.string, source, at);
    if (text) {
      return [{ type: "string", value: stringLiteral(text[1] ?? text[2], line), line }, at + text[0].length];
    }
    const operator = match(patterns.operator, source, at);
    if (!operator) throw new JinjaError(`unexpected character ${JSON.stringify(source[at])}`, line);
    this.#balance(operator[0], line);
    return [{ type: "operator", value: operator[0], line }, at + operator[0].length];
  }

  #balance(operator: string, line: number): void {
    if (operator in closing) this.#open.push(closing[operator]);
    else if (operator === ")" || operator === "]" || operator === "}") {
      const expected = this.#open.pop();
      if (expected === undefined) throw new JinjaError(`unexpected '${operator}'`, line);
      if (expected !== operator) throw new JinjaError(`unexpected '${operator}', expected '${expected}'`, line);
    }
  }
}
