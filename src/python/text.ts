/** Text as Python counts it: by code points. Texts without characters beyond U+FFFF take a short way. */

const beyond = /[\ud800-\udbff][\udc00-\udfff]/;

/** True if UTF-16 units are not the code points. */
export function hasPairs(text: string): boolean {
  return beyond.test(text);
}

/** `len(text)`. */
export function textLength(text: string): number {
  if (!hasPairs(text)) return text.length;
  let length = 0;
  for (const _ of text) length++;
  return length;
}

/** The characters, as something to index. */
export function characters(text: string): string | string[] {
  return hasPairs(text) ? [...text] : text;
}

/** Position in code points of a position in UTF-16 units. */
export function codePointIndex(text: string, unit: number): number {
  return unit < 0 ? -1 : textLength(text.slice(0, unit));
}

/** `text[start:stop]`, bounds as Python takes them. */
export function textSlice(text: string, start: number | undefined, stop: number | undefined): string {
  if (!hasPairs(text)) return text.slice(start ?? 0, stop);
  return [...text].slice(start ?? 0, stop).join("");
}

/** `text * count`. */
export function repeatText(text: string, count: number): string {
  return count > 0 ? text.repeat(count) : "";
}
