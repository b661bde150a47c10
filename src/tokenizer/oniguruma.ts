/** Expressions of `tokenizer.json`, which are Oniguruma's (Ruby's syntax), as JavaScript's. */
import { toRegExp } from "oniguruma-to-es";
import { TokenizerError } from "./tokenizer_json.ts";

/** Global expression that finds what Oniguruma's `pattern` finds. @throws {TokenizerError} if it is not valid. */
export function compileOniguruma(pattern: string): RegExp {
  try {
    return toRegExp(pattern, { global: true });
  } catch (error) {
    const reason = (error as Error).message.split("\n")[0];
    throw new TokenizerError(`the tokenizer's expression ${JSON.stringify(pattern)} cannot be used: ${reason}`);
  }
}

/** Global expression that finds `text` itself. */
export function compileLiteral(text: string): RegExp {
  return new RegExp(escapeLiteral(text), "gu");
}

export function escapeLiteral(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
