/**
 * Pre-tokenization patterns: the two that we write, and the translation of the Oniguruma syntax that
 * `tokenizer.json` files use into JavaScript's.
 */

/** GPT-2's split, which `ByteLevel` with `use_regex` applies. Source: openai/gpt-2, encoder.py. */
export const gpt2Pattern = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/** LLaMA-3's split: contractions in any case, digits in groups of three, line breaks apart. */
export const llama3Pattern =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" +
  "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** Escapes whose meaning differs: JavaScript's `\s` has U+FEFF and lacks U+0085, its `\d` is ASCII only. */
const escapes: Record<string, string> = {
  s: "\\p{White_Space}",
  S: "\\P{White_Space}",
  d: "\\p{Nd}",
  D: "\\P{Nd}",
  r: "\\r",
  n: "\\n",
  t: "\\t",
};

/** Every form of a letter under Unicode's simple case folding: two ASCII letters have a third one. */
function foldedLetter(letter: string): string {
  const lower = letter.toLowerCase();
  const third = lower === "s" ? "\u017f" : lower === "k" ? "\u212a" : "";
  return `[${lower}${lower.toUpperCase()}${third}]`;
}

/**
 * JavaScript expression (global, Unicode) that matches what Oniguruma's `pattern` matches; null if the pattern uses
 * anything beyond literals, classes, `\p{..}`, plain groups and look-ahead, greedy quantifiers and `(?i:...)` around
 * ASCII literals. An empty match would loop, so a pattern that allows one is refused too.
 */
export function compileSplitPattern(pattern: string): RegExp | null {
  let source = "";
  for (let i = 0; i < pattern.length; ) {
    const rest = pattern.slice(i);
    const folded = /^\(\?i:([A-Za-z'|]+)\)/.exec(rest);
    const property = /^\\[pP]\{\^?[A-Za-z_]+\}/.exec(rest);
    const escaped = /^\\([\s\S])/.exec(rest);
    const plain = /^(?:\(\?[:=!]|\{\d+(?:,\d*)?\}|[^\\])/u.exec(rest);
    if (folded) {
      source += `(?:${folded[1].replace(/[A-Za-z]/g, foldedLetter)})`;
      i += folded[0].length;
    } else if (property) {
      source += property[0];
      i += property[0].length;
    } else if (escaped) {
      const letter = escaped[1];
      if (/[A-Za-z0-9]/.test(letter) && escapes[letter] === undefined) return null;
      source += escapes[letter] ?? escaped[0];
      i += 2;
    } else if (plain) {
      // Other groups, possessive or lazy quantifiers, class operations, anchors and the dot differ in JavaScript.
      if (/^(?:\(\?[^:=!]|[?*+}][?+]|&&|\[\[|--|[.$])/.test(rest)) return null;
      if (rest[0] === "^" && pattern[i - 1] !== "[") return null;
      source += plain[0];
      i += plain[0].length;
    } else {
      return null;
    }
  }
  try {
    const expression = new RegExp(source, "gu");
    return "".match(expression) === null ? expression : null;
  } catch {
    return null;
  }
}

/** Pieces of `text`: the matches and what lies between them ("Isolated"), in order; together they are the text. */
export function splitIsolated(text: string, expression: RegExp): string[] {
  const matches: string[] = text.match(expression) ?? [];
  let covered = 0;
  for (const match of matches) covered += match.length;
  if (covered === text.length) return matches;
  const pieces: string[] = [];
  let end = 0;
  for (const match of text.matchAll(expression)) {
    if (match.index > end) pieces.push(text.slice(end, match.index));
    if (match[0] !== "") pieces.push(match[0]);
    end = match.index + match[0].length;
  }
  if (end < text.length) pieces.push(text.slice(end));
  return pieces;
}
