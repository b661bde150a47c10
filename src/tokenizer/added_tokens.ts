/**
 * Added tokens are cut out of the text before anything else sees it: first the ones that match the raw text, then
 * those that match normalized text. Leftmost match, the longest of several. As in Hugging Face's `tokenizers`.
 */
import type { Normalize } from "./normalizer.ts";
import { escapeLiteral } from "./oniguruma.ts";
import type { Place } from "./tokenizer.ts";
import { type AddedTokenJson, TokenizerError, type TokenizerJson, vocabularyOf } from "./tokenizer_json.ts";

/** A stretch of plain text, or the id of an added token. */
export type TextOrId = string | number;

/**
 * The added tokens of a file with the ids that they get when it is loaded, which need not be those that it states: a
 * token of the model's vocabulary has its id there, and each other one the next free id, in order.
 * @throws {TokenizerError} if an entry has no text.
 */
export function assignAddedIds({ model, added_tokens }: TokenizerJson): AddedTokenJson[] {
  const ids = new Map(vocabularyOf(model));
  const size = Array.isArray(model.vocab) ? model.vocab.length : ids.size;
  const assigned = new Map<string, AddedTokenJson>();
  let next = size;
  for (const token of added_tokens ?? []) {
    if (typeof token?.content !== "string") throw new TokenizerError("an added token of the tokenizer has no content");
    if (token.content === "") continue;
    const id = assigned.get(token.content)?.id ?? ids.get(token.content) ?? next++;
    assigned.set(token.content, { ...token, id });
  }
  return [...assigned.values()];
}

/** A token, and the text that it is found by. */
interface Wanted {
  token: AddedTokenJson;
  text: string;
}

class Matcher {
  private readonly expression: RegExp | null = null;
  private readonly wanted: ReadonlyMap<string, AddedTokenJson>;

  constructor(wanted: readonly Wanted[]) {
    this.wanted = new Map(wanted.map(({ token, text }) => [text, token]));
    const texts = [...this.wanted.keys()].filter((text) => text !== "").sort((a, b) => b.length - a.length);
    if (texts.length > 0) this.expression = new RegExp(texts.map(escapeLiteral).join("|"), "gu");
  }

  cut(text: string): TextOrId[] {
    if (!this.expression) return text === "" ? [] : [text];
    const parts: TextOrId[] = [];
    let end = 0;
    for (const match of text.matchAll(this.expression)) {
      const token = this.wanted.get(match[0])!;
      let from = match.index;
      let to = from + match[0].length;
      if (token.single_word && (endsInWord(text, from) || startsWord(text, to))) continue;
      if (token.lstrip) while (from > end && isSpaceAt(text, from - 1)) from--;
      if (token.rstrip) while (to < text.length && isSpaceAt(text, to)) to++;
      from = Math.max(from, end);
      if (from > end) parts.push(text.slice(end, from));
      parts.push(token.id);
      end = to;
    }
    if (end < text.length) parts.push(text.slice(end));
    return parts;
  }
}

const word = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;
const space = /\p{White_Space}/u;

const isSpaceAt = (text: string, index: number): boolean => space.test(text[index]);
const startsWord = (text: string, index: number): boolean =>
  index < text.length && word.test(String.fromCodePoint(text.codePointAt(index)!));

function endsInWord(text: string, end: number): boolean {
  if (end === 0) return false;
  const isLowSurrogate = (text.charCodeAt(end - 1) & 0xfc00) === 0xdc00;
  return startsWord(text, isLowSurrogate && end > 1 ? end - 2 : end - 1);
}

export class AddedTokens {
  private readonly raw: Matcher;
  private readonly normalized: Matcher;
  private readonly normalize: Normalize;

  /** @param normalize what is done to the text between tokens. */
  constructor(tokens: readonly AddedTokenJson[], normalize: Normalize = (text) => text) {
    const isNormalized = (token: AddedTokenJson): boolean => token.normalized ?? !token.special;
    this.normalize = normalize;
    this.raw = new Matcher(
      tokens.filter((token) => !isNormalized(token)).map((token) => ({ token, text: token.content })),
    );
    this.normalized = new Matcher(
      tokens.filter(isNormalized).map((token) => ({ token, text: normalize(token.content, "start") })),
    );
  }

  /**
   * Normalized text and ids, in order.
   * @param place of `text`
   */
  split(text: string, place: Place = "start"): TextOrId[] {
    return this.raw.cut(text).flatMap((part, i): TextOrId[] => {
      if (typeof part === "number") return [part];
      return this.normalized.cut(this.normalize(part, i === 0 ? place : "inner"));
    });
  }
}
