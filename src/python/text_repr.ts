/** `repr` of text. */

const escapes: Record<string, string> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Printable characters stay; the rest becomes an escape. Single quotes unless the text has some and no double ones. */
export function textRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let body = "";
  for (const character of text) {
    if (character === quote) body += `\\${quote}`;
    else if (character in escapes) body += escapes[character];
    else if (character !== " " && /[\p{C}\p{Z}]/u.test(character)) body += codeEscape(character.codePointAt(0)!);
    else body += character;
  }
  return `${quote}${body}${quote}`;
}

function codeEscape(code: number): string {
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}
