/** `int(text, base)` and `float(text)`. */

import { pythonFloat, pythonInt } from "./values.ts";
import { strip } from "./whitespace.ts";

const prefixes: Record<string, number> = { b: 2, o: 8, x: 16 };

/** Decimal digits of other scripts become those of ASCII. */
function asciiDigits(text: string): string {
  return text.replace(/[^\0-\x7f]/gu, (character) => {
    if (!/\p{Nd}/u.test(character)) return character;
    // Digits stand ten by ten: the value is the distance from the last character that is no digit, modulo ten.
    let code = character.codePointAt(0)!;
    const first = code;
    while (/\p{Nd}/u.test(String.fromCodePoint(code - 1))) code--;
    return String((first - code) % 10);
  });
}

/** Undefined if the text is no int. */
export function parseInteger(text: string, base = 10): number | bigint | undefined {
  const match = /^([+-]?)(?:0([box])_?)?([0-9a-z]+(?:_[0-9a-z]+)*)$/i.exec(asciiDigits(strip(text)));
  if (match === null) return undefined;
  let [, sign, prefix, digits] = match;
  digits = digits.replaceAll("_", "").toLowerCase();
  const prefixBase = prefix && prefixes[prefix.toLowerCase()];
  if (prefixBase && base !== 0 && base !== prefixBase) {
    // 0b1 in base 16 is a number of three digits.
    digits = `0${prefix!.toLowerCase()}${digits}`;
  } else if (base === 0) {
    if (!prefixBase && /^0+[^0]/.test(digits)) return undefined;
    base = prefixBase || 10;
  }
  let value = 0n;
  for (const digit of digits) {
    const number = Number.parseInt(digit, 36);
    if (!(number < base)) return undefined;
    value = value * BigInt(base) + BigInt(number);
  }
  return pythonInt(sign === "-" ? -value : value);
}

const float = /^[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+(?:_\d+)*)?$/i;

/** Undefined if the text is no float. */
export function parseFloatText(text: string): ReturnType<typeof pythonFloat> | undefined {
  const stripped = asciiDigits(strip(text));
  if (float.test(stripped)) return pythonFloat(Number(stripped.replaceAll("_", "")));
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(stripped);
  if (special === null) return undefined;
  if (special[2].toLowerCase() === "nan") return Number.NaN;
  return special[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
