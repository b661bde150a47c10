/**
 * Added tokens are cut out of the text before anything else sees it: first the ones that match the raw text, then
 * those that match normalized text (with no normalizer: what is left). Leftmost match, the longest of several.
 */
import type { AddedTokenJson } from "./tokenizer_json.ts";

/** A stretch of plain text, or the id of an added token. */
export type TextOrId = string | number;

function expressionOf(tokens: readonly AddedTokenJson[]): RegExp | null {
  const contents = tokens.map((token) => token.content).filter((content) => content !== "");
  if (contents.length === 0) return null;
  contents.sort((a, b) => b.length - a.length);
  return new RegExp(contents.map((content) => content.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")).join("|"), "g");
}

function cut(text: string, expression: RegExp | null, ids: ReadonlyMap<string, number>): TextOrId[] {
  if (!expression) return [text];
  const parts: TextOrId[] = [];
  let end = 0;
  for (const match of text.matchAll(expression)) {
    if (match.index > end) parts.push(text.slice(end, match.index));
    parts.push(ids.get(match[0])!);
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push(text.slice(end));
  return parts;
}

export class AddedTokens {
  private readonly ids: ReadonlyMap<string, number>;
  private readonly raw: RegExp | null;
  private readonly normalized: RegExp | null;

  constructor(tokens: readonly AddedTokenJson[]) {
    this.ids = new Map(tokens.map((token) => [token.content, token.id]));
    const isNormalized = (token: AddedTokenJson): boolean => token.normalized ?? !token.special;
    this.raw = expressionOf(tokens.filter((token) => !isNormalized(token)));
    this.normalized = expressionOf(tokens.filter(isNormalized));
  }

  /** True if these tokens match as plain strings, the only kind that {@link split} handles. */
  static areLiteral(tokens: readonly AddedTokenJson[]): boolean {
    return !tokens.some((token) => token.single_word || token.lstrip || token.rstrip);
  }

  split(text: string): TextOrId[] {
    return cut(text, this.raw, this.ids).flatMap((part) =>
      typeof part === "string" ? cut(part, this.normalized, this.ids) : [part],
    );
  }
}
