/**
 * Words of a text as hashes, for comparing texts whatever their case and punctuation: lower case, punctuation and symbols
 * deleted (`don't` is `dont`), words between white space. That is what GPT-3's authors (Brown et al. 2020, appendix C) and
 * lm-evaluation-harness's `decontamination/janitor.py` do to ASCII; here it holds for all of Unicode's basic plane.
 *
 * Text arrives in parts; a word may span them.
 */

/** What a UTF-16 unit is: white space, deleted, or the unit that stands for it. */
const space = 0;
const deleted = 1;

const units = unitTable();

function unitTable(): Uint16Array {
  const table = new Uint16Array(1 << 16);
  const dropped = /^[\p{P}\p{S}\p{Cc}\p{Cf}]$/u;
  for (let unit = 0; unit < table.length; unit++) {
    const text = String.fromCharCode(unit);
    const lower = text.toLowerCase();
    if (/^\s$/.test(text)) table[unit] = space;
    // Halves of surrogate pairs stay: what they stand for is not known from one of them.
    else if (dropped.test(text)) table[unit] = deleted;
    else table[unit] = lower.length === 1 ? lower.charCodeAt(0) : unit;
  }
  return table;
}

/** FNV-1a's offset, and its prime for the one hash; another odd multiplier for the other. */
const offset = 0x811c9dc5 | 0;
const primeA = 0x01000193;
const primeB = 0x5bd1e995;

/** Hears the two 32-bit hashes of each word. */
export type OnWord = (a: number, b: number) => void;

export class WordStream {
  private a = offset;
  private b = offset;
  private inWord = false;

  /** The words that end in `text`; what is left of it belongs to the next part. */
  push(text: string, onWord: OnWord): void {
    let { a, b, inWord } = this;
    for (let i = 0; i < text.length; i++) {
      const unit = units[text.charCodeAt(i)];
      if (unit > deleted) {
        a = Math.imul(a ^ unit, primeA);
        b = Math.imul(b + unit, primeB) ^ (b >>> 15);
        inWord = true;
      } else if (unit === space && inWord) {
        onWord(a, b);
        a = offset;
        b = offset;
        inWord = false;
      }
    }
    this.a = a;
    this.b = b;
    this.inWord = inWord;
  }

  /** The text is over: its last word. */
  end(onWord: OnWord): void {
    if (this.inWord) onWord(this.a, this.b);
    this.a = offset;
    this.b = offset;
    this.inWord = false;
  }
}

/** The words of a text as they are compared. */
export function normalizedWords(text: string): string[] {
  const words: string[] = [];
  let word = "";
  for (let i = 0; i <= text.length; i++) {
    const unit = i < text.length ? units[text.charCodeAt(i)] : space;
    if (unit > deleted) word += String.fromCharCode(unit);
    else if (unit === space) {
      if (word !== "") words.push(word);
      word = "";
    }
  }
  return words;
}
