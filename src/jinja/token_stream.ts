/** Tokens, one after the other, with Jinja2's words for what was expected. */
import { JinjaError } from "./jinja_error.ts";
import type { Token, TokenType } from "./tokens.ts";

const described: Partial<Record<TokenType, string>> = {
  data: "template data / text",
  variable_begin: "begin of print statement",
  variable_end: "end of print statement",
  block_begin: "begin of statement block",
  block_end: "end of statement block",
  end: "end of template",
};

export function describeToken(token: Token): string {
  return described[token.type] ?? String(token.value);
}

export class TokenStream {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get current(): Token {
    return this.#tokens[this.#at];
  }

  get following(): Token {
    return this.#tokens[Math.min(this.#at + 1, this.#tokens.length - 1)];
  }

  next(): Token {
    const token = this.current;
    if (token.type !== "end") this.#at++;
    return token;
  }

  is(type: TokenType, ...values: string[]): boolean {
    return this.current.type === type && (values.length === 0 || values.includes(this.current.value as string));
  }

  isName(...names: string[]): boolean {
    return this.is("name", ...names);
  }

  isOperator(...operators: string[]): boolean {
    return this.is("operator", ...operators);
  }

  skip(type: TokenType, value: string): boolean {
    if (!this.is(type, value)) return false;
    this.next();
    return true;
  }

  expect(type: TokenType, value?: string): Token {
    if (this.is(type, ...(value === undefined ? [] : [value]))) return this.next();
    const wanted = value ?? described[type] ?? type;
    if (this.current.type === "end") this.fail(`unexpected end of template, expected '${wanted}'`);
    this.fail(`expected token '${wanted}', got '${describeToken(this.current)}'`);
  }

  fail(message: string, line = this.current.line): never {
    throw new JinjaError(message, line);
  }
}
