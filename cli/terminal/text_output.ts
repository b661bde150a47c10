/** What a model says, as it comes: broken at words where a terminal shows it, and unchanged elsewhere. */
import { WordWrap } from "./word_wrap.ts";

export class TextOutput {
  private readonly stream: NodeJS.WriteStream;
  private readonly wrap: WordWrap | undefined;

  constructor(stream: NodeJS.WriteStream) {
    this.stream = stream;
    if (stream.isTTY) this.wrap = new WordWrap(() => stream.columns || 80);
  }

  write(text: string): void {
    this.stream.write(this.wrap ? this.wrap.push(printable(text)) : text);
  }

  /** The rest, and the end of the line. */
  end(): void {
    this.stream.write(`${this.wrap?.flush() ?? ""}\n`);
  }
}

/** What a model says must not steer the terminal: control characters are replaced there. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, "\ufffd");
}
