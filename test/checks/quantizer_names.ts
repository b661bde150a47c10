/**
 * A quantizer is a value: its name stands in its own file, in the list of `src/quantizers`, in tests and in recipes.
 * Elsewhere a comparison with a name is a question that the value should answer.
 */
import type { Violation } from "./rooms.ts";

/** Names that the files of `src/quantizers` declare (`name: "..."`), `none` excepted: it is a word of many things. */
export function declaredNames(texts: Iterable<string>): Set<string> {
  const names = new Set<string>();
  for (const text of texts) {
    for (const [, name] of text.matchAll(/\bname(?:\s*=|:)\s*"([a-z0-9_]+)"/g)) names.add(name);
  }
  names.delete("none");
  return names;
}

const comparedQuantizer = /(?:weight|activation)_?quantizer\w*(?:\.\w+)?\s*[!=]==?\s*["'`]/i;

/** @param text of a product file outside `src/quantizers` */
export function quantizerNameViolations(file: string, text: string, names: ReadonlySet<string>): Violation[] {
  return text.split("\n").flatMap((line, index) => {
    // Comments may name them; code may not.
    if (/^\s*(\/\/|\/?\*)/.test(line)) return [];
    const place = `line ${index + 1}`;
    const named = Array.from(line.matchAll(/["'`]([a-z0-9_]+)["'`]/g), ([, word]) => word).find((word) =>
      names.has(word),
    );
    if (named !== undefined) return [{ file, rule: `${place} names the quantizer ${named}` }];
    return comparedQuantizer.test(line) ? [{ file, rule: `${place} compares a quantizer with a name` }] : [];
  });
}
