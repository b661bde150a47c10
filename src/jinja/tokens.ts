/** What the lexer makes of a template. */

export type TokenType =
  | "data"
  | "variable_begin"
  | "variable_end"
  | "block_begin"
  | "block_end"
  | "name"
  | "string"
  | "number"
  | "operator"
  | "end";

export interface Token {
  type: TokenType;
  /** Text of data, names and operators; the value of strings and numbers. */
  value: unknown;
  /** From 1. */
  line: number;
}

/** How a template is cut. */
export interface LexerOptions {
  /** The line break behind a block is dropped. */
  trimBlocks: boolean;
  /** White space between the beginning of a line and a block is dropped. */
  lstripBlocks: boolean;
  keepTrailingNewline: boolean;
}
