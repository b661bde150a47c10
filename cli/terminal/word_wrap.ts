/**
 * Lines broken at words, for text that comes in pieces. A word is held until it is complete; one that is longer than a
 * line (an address) is left whole, so that it can be copied, and so is code: what stands between ``` lines, or is
 * indented by four spaces or a tab.
 */
import stringWidth from "string-width";

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

export class WordWrap {
  private readonly columns: () => number;
  /** Columns of the line that are written. */
  private column = 0;
  /** What was read since the last break between words: spaces, then a word. */
  private spaces = "";
  private word = "";
  /** The word has begun on a line of its own already, and is longer than that. */
  private isLong = false;
  /** The line as far as it decides what is code. */
  private line = "";
  private fenced = false;

  /** @param columns of the terminal, asked for each word: its size may change */
  constructor(columns: () => number) {
    this.columns = columns;
  }

  /** What can be written after the next piece. */
  push(text: string): string {
    let written = "";
    for (const { segment } of graphemes.segment(text)) {
      if (segment === "\n" || segment === "\r\n") {
        written += `${this.flush()}\n`;
        this.endLine();
      } else if (segment === " " || segment === "\t") {
        if (this.word !== "") written += this.takeWord();
        this.isLong = false;
        this.spaces += segment;
        this.line += segment;
      } else {
        // Chinese and Japanese have no spaces: a line may end before and after any wide character.
        const wide = stringWidth(segment) > 1;
        if (wide && this.word !== "") written += this.takeWord();
        this.word += segment;
        this.line += segment;
        if (wide || this.isLong) {
          written += this.takeWord();
        } else if (stringWidth(this.word) > this.columns()) {
          written += this.takeWord();
          this.isLong = true;
        }
      }
    }
    return written;
  }

  /** What is still held, at the end of the text. */
  flush(): string {
    if (this.word !== "") return this.takeWord();
    const { spaces } = this;
    this.spaces = "";
    return this.column + stringWidth(spaces) <= this.columns() ? spaces : "";
  }

  private get isCode(): boolean {
    return this.fenced || /^(?: {4}|\t|\s*```)/.test(this.line);
  }

  private takeWord(): string {
    const [spaces, word] = [this.spaces, this.word];
    this.spaces = "";
    this.word = "";
    const [before, width] = [stringWidth(spaces), stringWidth(word)];
    if (this.isLong || this.column === 0 || this.isCode || this.column + before + width <= this.columns()) {
      this.column += before + width;
      return spaces + word;
    }
    this.column = width;
    return `\n${word}`;
  }

  private endLine(): void {
    if (/^\s*```/.test(this.line)) this.fenced = !this.fenced;
    this.line = "";
    this.isLong = false;
    this.column = 0;
  }
}

/** Lines of a text that is complete. */
export function wrapWords(text: string, columns: number): string {
  const wrap = new WordWrap(() => columns);
  return wrap.push(text) + wrap.flush();
}
