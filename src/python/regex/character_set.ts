/** Sets of characters of Python's regular expressions: literals, classes, categories. */
import { whitespaceClass } from "../whitespace.ts";
import { lowerOf, sameCharacters } from "./letter_case.ts";

/** True for the code points in the set. */
export type CharacterTest = (code: number) => boolean;

const unicode = {
  w: /[\p{L}\p{N}_]/u,
  d: /\p{Nd}/u,
  s: new RegExp(`[${whitespaceClass}]`, "u"),
};
const ascii = { w: /[a-zA-Z0-9_]/, d: /[0-9]/, s: /[ \t\n\r\f\v]/ };

/** `\w`, `\d`, `\s`, and in upper case what is not in them. */
export function category(letter: string, isAscii: boolean): CharacterTest {
  const name = letter.toLowerCase() as keyof typeof unicode;
  const pattern = (isAscii ? ascii : unicode)[name];
  const isIn: CharacterTest = (code) => pattern.test(String.fromCodePoint(code));
  return letter === name ? isIn : (code) => !isIn(code);
}

export interface CaseRule {
  ignoreCase: boolean;
  /** Only A to Z have case. */
  ascii: boolean;
}

const isAsciiLetter = (code: number) => (code >= 65 && code <= 90) || (code >= 97 && code <= 122);

/** Characters that a pattern's `code` stands for. */
function alike(code: number, { ignoreCase, ascii }: CaseRule): readonly number[] {
  if (!ignoreCase) return [code];
  if (ascii) return isAsciiLetter(code) ? [code, code ^ 32] : [code];
  return sameCharacters(code);
}

export function literal(code: number, rule: CaseRule): CharacterTest {
  const codes = alike(code, rule);
  return codes.length === 1 ? (other) => other === code : (other) => codes.includes(other);
}

/** What a class lists: a range of code points (the last included), or a category. */
export type ClassItem = readonly [number, number] | CharacterTest;

export function characterClass(items: readonly ClassItem[], negated: boolean, rule: CaseRule): CharacterTest {
  const tests = items.filter((item) => typeof item === "function");
  const ranges = items.filter((item) => typeof item !== "function");
  const isListed = (code: number) => ranges.some(([first, last]) => code >= first && code <= last);
  const isIn: CharacterTest = (code) =>
    tests.some((test) => test(code)) || isListed(code) || (rule.ignoreCase && alike(code, rule).some(isListed));
  const known = new Map<number, boolean>();
  return (code) => {
    let answer = known.get(code);
    if (answer === undefined) {
      answer = isIn(code) !== negated;
      known.set(code, answer);
    }
    return answer;
  };
}

/** The case rule of a back reference: one lower case, or of A to Z only. */
export function folded(code: number, { ignoreCase, ascii }: CaseRule): number {
  if (!ignoreCase) return code;
  return ascii && code >= 128 ? code : lowerOf(code);
}
