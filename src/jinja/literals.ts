/** String and number literals of a template. */
import { pythonFloat, pythonInt } from "../python/values.ts";
import { JinjaError } from "./jinja_error.ts";

const simple: Record<string, string> = {
  "\n": "",
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};
const escapeSequence = /\\(?:([0-7]{1,3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\s\S]))/g;

function asciiEscape(character: string): string {
  const code = character.codePointAt(0)!;
  const [letter, size] = code < 0x100 ? ["x", 2] : code < 0x10000 ? ["u", 4] : ["U", 8];
  return `\\${letter}${code.toString(16).padStart(size as number, "0")}`;
}

/** The text between quotes, by way of Python's `unicode-escape` codec, as Jinja reads it. */
export function stringLiteral(body: string, line: number): string {
  if (!body.includes("\\")) return body;
  return body.replace(/[^\0-\x7f]/gu, asciiEscape).replace(escapeSequence, (whole, octal, byte, short, long, other) => {
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
    const code = Number.parseInt(byte ?? short ?? long ?? "", 16);
    if (code <= 0x10ffff) return String.fromCodePoint(code);
    if (other === undefined || "xuUN".includes(other)) {
      throw new JinjaError(`the escape sequence ${whole} in a string is not valid`, line);
    }
    return simple[other] ?? whole;
  });
}

export function integerLiteral(text: string): number | bigint {
  return pythonInt(BigInt(text.replaceAll("_", "")));
}

export function floatLiteral(text: string): unknown {
  return pythonFloat(Number(text.replaceAll("_", "")));
}
