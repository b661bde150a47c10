/** Made-up words from syllables, with numbers, contractions, line breaks and letters outside ASCII. */
const starts = ["b", "d", "f", "gr", "k", "m", "n", "pl", "s", "st", "th", "v", "Z", "É", "日", "ß"];
const middles = ["a", "e", "i", "o", "u", "ee", "ai", "ö", "ни", "本"];
const ends = ["", "n", "t", "r", "ck", "ng", "'s", "n't", "語"];
const between = [" ", " ", " ", " ", ", ", ". ", "!\n", "?\r\n", "\n\n\n  ", "\t", " 12 ", " 1234567 ", " — "];

/** Deterministic text of `words` words; few of them are frequent, many are rare. */
export function generatedText(words: number, seed = 1): string {
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const pick = (list: readonly string[]): string => list[Math.floor(random() ** 2 * list.length)];
  let text = "";
  for (let i = 0; i < words; i++) {
    text += pick(starts) + pick(middles) + pick(ends);
    if (random() < 0.5) text += pick(starts) + pick(middles) + pick(ends);
    text += pick(between);
  }
  return text;
}
