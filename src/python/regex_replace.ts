/** `re.sub` with a replacement as Python writes it. */
import { PythonError } from "./python_error.ts";
import { pythonRegex } from "./regex.ts";

const reference = /\\(?:g<([^>]*)>|(\d{1,2})|([\s\S]))/g;
const escapes: Record<string, string> = { n: "\n", t: "\t", r: "\r", a: "\x07", b: "\b", f: "\f", v: "\v", "\\": "\\" };

/**
 * `re.sub(pattern, replacement, text, count)`; count 0: all.
 * @param replacement `\1` and `\g<name>` are groups
 * @throws {RegexError, PythonError}
 */
export function regexReplace(pattern: string, replacement: string, text: string, count: number): string {
  let left = count > 0 ? count : Number.POSITIVE_INFINITY;
  const regex = pythonRegex(pattern);
  return regex.replace(text, ({ groups }) => {
    if (left-- <= 0) return groups[0]!;
    return replacement.replace(reference, (whole, name, number, character) => {
      if (character !== undefined) return escapes[character] ?? whole;
      const key = name ?? number;
      const index = /^\d+$/.test(key) ? Number(key) : regex.names.get(key);
      if (index === undefined || index >= groups.length) {
        throw new PythonError(`invalid group reference ${key} in a replacement`);
      }
      return groups[index] ?? "";
    });
  });
}
