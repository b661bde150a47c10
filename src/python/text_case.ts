/** `lower`, `upper` and their like, and the questions after kinds of characters (`isalpha`, ...). */
import { isSpace } from "./whitespace.ts";

/** Title case of capitals that are two letters in one. */
const titleCase: Record<string, string> = { Ǆ: "ǅ", Ǉ: "ǈ", Ǌ: "ǋ", Ǳ: "ǲ" };

function toTitle(character: string): string {
  const [initial = "", ...others] = [...character.toUpperCase()];
  return (titleCase[initial] ?? initial) + others.join("").toLowerCase();
}

/** Python lowers everything after the first character, and puts that one in title case (ß becomes Ss). */
export function capitalize(text: string): string {
  const [first = "", ...rest] = [...text];
  return toTitle(first) + rest.join("").toLowerCase();
}

const cased = /\p{Cased}/u;

/** Each cased character behind one that is not begins a word: `o'neil` becomes `O'Neil`. */
export function titled(text: string): string {
  let result = "";
  let isInWord = false;
  for (const character of text) {
    result += isInWord ? character.toLowerCase() : toTitle(character);
    isInWord = cased.test(character);
  }
  return result;
}

export function swapCase(text: string): string {
  return [...text]
    .map((c) => {
      if (/\p{Uppercase}/u.test(c)) return c.toLowerCase();
      return /\p{Lowercase}/u.test(c) ? c.toUpperCase() : c;
    })
    .join("");
}

/** Full case folding; it differs from lower case in ß, ſ, final sigma, ligatures, Cherokee. */
export function caseFold(text: string): string {
  const folded = [...text].map((c) => {
    if (c === "ı") return c;
    if (c === "ẞ") return "ss";
    return /\p{Script=Cherokee}/u.test(c) ? c.toUpperCase() : c.toUpperCase().toLowerCase();
  });
  return folded.join("");
}

/** Characters that are digits and no decimal ones (superscripts, circled ones). */
const otherDigits =
  "\\xb2\\xb3\\xb9\\u1369-\\u1371\\u19da\\u2070\\u2074-\\u2079\\u2080-\\u2089\\u2460-\\u2468\\u2474-\\u247c\\u2488-\\u2490" +
  "\\u24ea\\u24f5-\\u24fd\\u24ff\\u2776-\\u277e\\u2780-\\u2788\\u278a-\\u2792\\u{10a40}-\\u{10a43}\\u{10e60}-\\u{10e68}" +
  "\\u{11052}-\\u{1105a}\\u{1f100}-\\u{1f10a}";
/** Ideographs that are numbers; those of the Unicode Han database in common use. */
const numberIdeographs =
  "㐅㒃㠪㭍一七万三九二五亖亿什仟仨伍佰億兆兩八六十千卄卅卌叁叄参參四壱壹幺廿弌弍弎弐拾捌柒漆玖百肆萬貮貳贰阡陆陌陸零";

const digit = new RegExp(`^[\\p{Nd}${otherDigits}]+$`, "u");
const numeric = new RegExp(`^[\\p{N}${numberIdeographs}]+$`, "u");
const alphanumeric = new RegExp(`^[\\p{L}\\p{N}${numberIdeographs}]+$`, "u");
const capital = /[\p{Uppercase}\p{Lt}]/u;

/** At least one cased character, and all of them in lower case. */
export function isLower(text: string): boolean {
  return !capital.test(text) && /\p{Lowercase}/u.test(text);
}

/** At least one cased character, and all of them in upper case. */
export function isUpper(text: string): boolean {
  return !/[\p{Lowercase}\p{Lt}]/u.test(text) && /\p{Uppercase}/u.test(text);
}

export function isTitle(text: string): boolean {
  let isInWord = false;
  for (const character of text) {
    if (capital.test(character) ? isInWord : /\p{Lowercase}/u.test(character) && !isInWord) return false;
    isInWord = cased.test(character);
  }
  return cased.test(text);
}

export const textQuestions: Record<string, (text: string) => boolean> = {
  isalpha: (text) => /^\p{L}+$/u.test(text),
  isdecimal: (text) => /^\p{Nd}+$/u.test(text),
  isdigit: (text) => digit.test(text),
  isnumeric: (text) => numeric.test(text),
  isalnum: (text) => alphanumeric.test(text),
  isascii: (text) => /^[\0-\x7f]*$/.test(text),
  isspace: isSpace,
  islower: isLower,
  isupper: isUpper,
  istitle: isTitle,
  isidentifier: (text) => /^[\p{XIDS}_][\p{XIDC}]*$/u.test(text),
  isprintable: (text) => !/[\p{C}\p{Z}]/u.test(text.replaceAll(" ", "")),
};
