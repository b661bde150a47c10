/**
 * A template as tokens, cut as Jinja2's lexer cuts it: `-` and `+` beside the marks, `trim_blocks`, `lstrip_blocks`,
 * comments, raw blocks, line breaks of every kind read as \n.
 */
import { rstrip, whitespaceClass } from "../python/whitespace.ts";
import { ExpressionLexer } from "./expression_lexer.ts";
import { JinjaError } from "./jinja_error.ts";
import type { LexerOptions, Token } from "./tokens.ts";

const space = `[${whitespaceClass}]`;
const opening = /\{[%{#]/g;
const rawBegin = new RegExp(`\\{%[-+]?${space}*raw${space}*(?:-%\\}${space}*|%\\})`, "y");
const onlySpace = new RegExp(`^${space}+$`);

class Lexer {
  readonly #source: string;
  readonly #options: LexerOptions;
  readonly #tokens: Token[] = [];
  #at = 0;
  #line = 1;
  /** The last tag took its line break with it. */
  #isLineStart = true;
  readonly #ends: Record<"block" | "variable" | "comment" | "raw", RegExp>;

  constructor(source: string, options: LexerOptions) {
    const lines = source.replace(/\r\n?/g, "\n");
    this.#source = options.keepTrailingNewline || !lines.endsWith("\n") ? lines : lines.slice(0, -1);
    this.#options = options;
    const suffix = options.trimBlocks ? "\\n?" : "";
    const blockEnd = `(?:\\+%\\}|-%\\}${space}*|%\\}${suffix})`;
    this.#ends = {
      block: new RegExp(blockEnd, "y"),
      variable: new RegExp(`-\\}\\}${space}*|\\}\\}`, "y"),
      comment: new RegExp(`\\+#\\}|-#\\}${space}*|#\\}${suffix}`, "g"),
      raw: new RegExp(`\\{%([-+]?)${space}*endraw${space}*${blockEnd}`, "g"),
    };
  }

  tokens(): Token[] {
    while (this.#at < this.#source.length) this.#root();
    this.#tokens.push({ type: "end", value: "end of template", line: this.#line });
    return this.#tokens;
  }

  #root(): void {
    opening.lastIndex = this.#at;
    const found = opening.exec(this.#source);
    if (found === null) {
      this.#data(this.#source.slice(this.#at));
      this.#moveTo(this.#source.length);
      return;
    }
    const begin = found.index;
    const mark = found[0];
    const next = this.#source[begin + 2];
    const sign = next === "-" || next === "+" ? next : "";
    this.#data(this.#stripped(this.#source.slice(this.#at, begin), sign, mark === "{{"));
    rawBegin.lastIndex = begin;
    const raw = mark === "{%" ? rawBegin.exec(this.#source) : null;
    this.#moveTo(begin + (raw?.[0].length ?? mark.length + sign.length));
    if (raw !== null) {
      this.#isLineStart = raw[0].endsWith("\n");
      this.#raw();
    } else {
      this.#isLineStart = false;
      if (mark === "{#") this.#comment();
      else this.#tag(mark === "{{" ? "variable" : "block");
    }
  }

  #data(text: string): void {
    if (text !== "") this.#tokens.push({ type: "data", value: text, line: this.#line });
  }

  #moveTo(end: number): void {
    for (let at = this.#source.indexOf("\n", this.#at); at >= 0 && at < end; at = this.#source.indexOf("\n", at + 1)) {
      this.#line++;
    }
    this.#at = end;
  }

  /** Text before a tag that begins with `sign`. */
  #stripped(text: string, sign: string, isVariable: boolean): string {
    if (sign === "-") return rstrip(text);
    if (sign === "+" || isVariable || !this.#options.lstripBlocks) return text;
    const lineStart = text.lastIndexOf("\n") + 1;
    const isFromLineStart = lineStart > 0 || this.#isLineStart;
    return isFromLineStart && onlySpace.test(text.slice(lineStart)) ? text.slice(0, lineStart) : text;
  }

  /** Where the tag ends that `pattern` closes, searched from here. */
  #closeAt(pattern: RegExp, what: string): RegExpExecArray {
    pattern.lastIndex = this.#at;
    const end = pattern.exec(this.#source);
    if (end === null) throw new JinjaError(`Missing end of ${what}`, this.#line);
    return end;
  }

  #close(end: RegExpExecArray): void {
    this.#isLineStart = end[0].endsWith("\n");
    this.#moveTo(end.index + end[0].length);
  }

  #comment(): void {
    this.#close(this.#closeAt(this.#ends.comment, "comment tag"));
  }

  #raw(): void {
    const end = this.#closeAt(this.#ends.raw, "raw directive");
    this.#data(this.#stripped(this.#source.slice(this.#at, end.index), end[1], false));
    this.#close(end);
  }

  #tag(kind: "block" | "variable"): void {
    this.#tokens.push({ type: `${kind}_begin`, value: kind === "block" ? "{%" : "{{", line: this.#line });
    const expression = new ExpressionLexer(this.#source);
    while (this.#at < this.#source.length) {
      const pattern = this.#ends[kind];
      pattern.lastIndex = this.#at;
      const end = expression.isInBrackets ? null : pattern.exec(this.#source);
      if (end !== null) {
        this.#tokens.push({ type: `${kind}_end`, value: kind === "block" ? "%}" : "}}", line: this.#line });
        this.#close(end);
        return;
      }
      const [token, next] = expression.read(this.#at, this.#line);
      if (token) this.#tokens.push(token);
      this.#moveTo(next);
    }
  }
}

/** @throws {JinjaError} with the line */
export function tokenize(source: string, options: LexerOptions): Token[] {
  return new Lexer(source, options).tokens();
}
