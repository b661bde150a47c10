/** `UnicodeScripts`: a new piece wherever the script of the characters changes. */

/** Scripts that are taken for Han, as SentencePiece does, and the one that joins any other. */
const anyScript = /[ \p{Cn}\p{Co}]/u;
const hanLike = /[\p{Script=Hiragana}\p{Script=Katakana}\u30fc]/u;
const scripts = [
  "Arabic",
  "Armenian",
  "Bengali",
  "Bopomofo",
  "Cyrillic",
  "Devanagari",
  "Ethiopic",
  "Georgian",
  "Greek",
  "Gujarati",
  "Gurmukhi",
  "Han",
  "Hangul",
  "Hebrew",
  "Inherited",
  "Kannada",
  "Khmer",
  "Lao",
  "Latin",
  "Malayalam",
  "Mongolian",
  "Myanmar",
  "Oriya",
  "Sinhala",
  "Tamil",
  "Telugu",
  "Thaana",
  "Thai",
  "Tibetan",
  "Common",
  "Cherokee",
  "Braille",
  "Canadian_Aboriginal",
  "Coptic",
  "Gothic",
  "Runic",
  "Ogham",
  "Syriac",
  "Tifinagh",
  "Yi",
  "Javanese",
  "Balinese",
  "Sundanese",
  "Nko",
  "Glagolitic",
  "Old_Italic",
  "Deseret",
  "Egyptian_Hieroglyphs",
  "Cuneiform",
  "Tagalog",
];
const expressions = scripts.map((name) => [name, new RegExp(`^\\p{Script=${name}}`, "u")] as const);
const known = new Map<string, string>();

function scriptOf(character: string): string {
  let script = known.get(character);
  if (script === undefined) {
    script = anyScript.test(character)
      ? "any"
      : hanLike.test(character)
        ? "Han"
        : (expressions.find(([, expression]) => expression.test(character))?.[0] ?? "other");
    known.set(character, script);
  }
  return script;
}

export function splitByScript(text: string): { text: string; start: number }[] {
  const starts: number[] = [];
  let last: string | null = null;
  let offset = 0;
  for (const character of text) {
    const script = scriptOf(character);
    if (script !== "any") {
      if (script !== last) starts.push(offset);
      last = script;
    }
    offset += character.length;
  }
  return starts.map((start, i) => ({ text: text.slice(start, starts[i + 1] ?? text.length), start }));
}
