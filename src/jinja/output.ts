/** Text while it is written. */

/** A range of the text in UTF-16 units: `text.slice(...span)`. */
export type Span = [start: number, end: number];

export class Output {
  readonly #parts: string[] = [];
  #length = 0;
  /** What stood in `{% generation %}` blocks: the assistant's own words. */
  readonly spans: Span[] = [];

  get length(): number {
    return this.#length;
  }

  write(text: string): void {
    if (text === "") return;
    this.#parts.push(text);
    this.#length += text.length;
  }

  text(): string {
    return this.#parts.join("");
  }
}
