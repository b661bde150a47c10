/**
 * Where a long document may be cut so that the ids of its parts are the ids of the whole: only where the steps of the
 * tokenizer are known to treat the two sides apart.
 *
 * Two kinds of places qualify. Between a letter and white space or a punctuation mark before a letter, where a step of
 * the pre-tokenizer is known to begin a new piece and no other step is disturbed. And, for a BPE over characters, between
 * two known characters that no token has side by side, where the pre-tokenizer and the normalizer do not look around.
 */
import { cutRules, marks, type PlaceKind } from "./cut_rules.ts";
import type { Normalize } from "./normalizer.ts";
import type { SafeCut } from "./tokenizer.ts";
import { type AddedTokenJson, isBpe, type TokenizerJson } from "./tokenizer_json.ts";

const letter = /^\p{L}$/u;

/** A letter in the Basic Multilingual Plane that every normalization form leaves as it is. */
function isPlainLetter(character: string | undefined): boolean {
  return character !== undefined && letter.test(character) && character.normalize("NFKC") === character;
}

function placeKind(text: string, position: number): PlaceKind | null {
  if (!isPlainLetter(text[position - 1]) || !isPlainLetter(text[position + 1])) return null;
  const character = text[position];
  if (character === " ") return "space";
  if (character === "\n" || character === "\t") return "break";
  return marks.includes(character) ? "mark" : null;
}

/** Pairs of neighbours inside of `texts`. */
function neighbours(texts: Iterable<string>): Set<string> {
  const pairs = new Set<string>();
  for (const text of texts) for (let i = 1; i < text.length; i++) pairs.add(text[i - 1] + text[i]);
  return pairs;
}

/** True where no added token lies across the place, nor looks over it. */
function addedTokenRule(added: readonly AddedTokenJson[], normalize: Normalize): SafeCut {
  const texts = added.flatMap(({ content }) => [content, normalize(content, "continued")]);
  const inside = neighbours(texts);
  const first = new Set<string>();
  const last = new Set<string>();
  // What comes behind an added token is treated as a beginning, which a part that goes on is not.
  const ending = new Map<string, string[]>();
  for (const text of new Set(texts)) {
    const end = text.slice(-1);
    if (end !== "") ending.set(end, [...(ending.get(end) ?? []), text]);
  }
  const isBehindToken = (text: string, position: number): boolean =>
    ending.get(text[position - 1])?.some((token) => text.startsWith(token, position - token.length)) ?? false;
  for (const { content, single_word, lstrip, rstrip } of added) {
    for (const text of [content, normalize(content, "continued")]) {
      if (text === "") continue;
      if (single_word || lstrip) first.add(text[0]);
      if (single_word || rstrip) last.add(text[text.length - 1]);
    }
  }
  // White space beside a token that takes it belongs to the token.
  const takesSpace = added.some(({ lstrip, rstrip }) => lstrip || rstrip);
  return (text, position) =>
    !(takesSpace && /\p{White_Space}/u.test(text[position - 1])) &&
    !inside.has(text[position - 1] + text[position]) &&
    !first.has(text[position]) &&
    !last.has(text[position - 1]) &&
    !isBehindToken(text, position);
}

/** A normalized token is found in text that looks otherwise before: only then the raw neighbours say too little. */
function hasHiddenTokens(json: TokenizerJson, added: readonly AddedTokenJson[]): boolean {
  if (!json.normalizer) return false;
  return added.some(({ content, normalized, special }) => (normalized ?? !special) && /\p{L}[\s\p{P}]/u.test(content));
}

/** For a BPE that is not split: places between known characters that no token has side by side. */
function characterRule(json: TokenizerJson, seen: (character: string) => string): SafeCut | null {
  if (!isBpe(json)) return null;
  const { vocab, merges, continuing_subword_prefix, end_of_word_suffix } = json.model;
  if (continuing_subword_prefix || end_of_word_suffix) return null;
  const tokens = Object.keys(vocab);
  const together = merges.length === 0 && !json.model.ignore_merges ? new Set<string>() : neighbours(tokens);
  const single = new Set(tokens.filter((token) => token.length === 1));
  return (text, position) => {
    // Half of a surrogate pair is no token.
    if (/[\ud800-\udfff]/.test(text[position - 1] + text[position])) return false;
    const before = seen(text[position - 1]).at(-1)!;
    const after = seen(text[position])[0];
    return single.has(before) && single.has(after) && !together.has(before + after);
  };
}

/** The rule of a tokenizer; null if no place can be proved to be safe. */
export function safeCut(json: TokenizerJson, added: readonly AddedTokenJson[], normalize: Normalize): SafeCut | null {
  if (hasHiddenTokens(json, added)) return null;
  const rules = cutRules(json);
  const character = rules.seen ? characterRule(json, rules.seen) : null;
  if (rules.kinds.size === 0 && !character) return null;
  const addedTokens = addedTokenRule(added, normalize);
  return (text, position) => {
    if (position <= 0 || position >= text.length) return false;
    const kind = placeKind(text, position);
    const safe = (kind !== null && rules.kinds.has(kind)) || (character?.(text, position) ?? false);
    return safe && addedTokens(text, position);
  };
}
