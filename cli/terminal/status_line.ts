/**
 * One line at the bottom of a terminal that is written again and again, below lines that stay. It never reaches the last
 * column, and the cursor waits at its beginning: so it does not wrap, what the terminal echoes (`^C`) does not move it,
 * and erasing from the cursor erases all of it, also after the window was made narrower. The cursor is never hidden:
 * nothing has to be put right when the process ends in whatever way.
 */
import { watchWriters } from "./other_writers.ts";
import { wrapWords } from "./word_wrap.ts";

const eraseBelow = "\x1b[J";
/** Milliseconds between two drawings. */
const pause = 100;

/** True if a line can be written again there, and somebody sees it. */
export function redraws(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv = process.env): boolean {
  const isSet = (value: string | undefined) => value !== undefined && value !== "" && value !== "false";
  return Boolean(stream.isTTY) && env.TERM !== "dumb" && !isSet(env.CI) && !isSet(env.NO_COLOR);
}

/** What a terminal that does not tell its size has. */
const defaultColumns = 80;

export class StatusLine {
  private readonly stream: NodeJS.WriteStream;
  private render: ((columns: number) => string) | undefined;
  private drawnAt = Number.NEGATIVE_INFINITY;
  private timer: NodeJS.Timeout | undefined;
  /** Writes to the stream itself, past the watch on others. */
  private put: (text: string) => void;
  private endWatch = () => {};
  private readonly redraw = () => this.draw();
  private readonly erase = () => this.clear();

  constructor(stream: NodeJS.WriteStream) {
    this.stream = stream;
    this.put = (text) => stream.write(text);
  }

  get columns(): number {
    return this.stream.columns || defaultColumns;
  }

  /** @param render the text for so many columns */
  set(render: (columns: number) => string): void {
    const isFirst = this.render === undefined;
    this.render = render;
    if (isFirst) {
      this.watch();
    }
    const wait = this.drawnAt + pause - performance.now();
    if (isFirst || wait <= 0) this.draw();
    else this.timer ??= setTimeout(this.redraw, wait).unref();
  }

  /** Lines above. They are broken at words. */
  print(text: string): void {
    const above = `${wrapWords(text, this.columns)}\n`;
    this.put(this.render ? `\r${eraseBelow}${above}${this.line()}` : above);
  }

  clear(): void {
    if (this.render === undefined) return;
    this.render = undefined;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.stream.off("resize", this.redraw);
    process.off("exit", this.erase);
    this.put(`\r${eraseBelow}`);
    this.endWatch();
    this.put = (text) => this.stream.write(text);
  }

  /** For as long as the line stands: the size, the end of the process, and lines that others write, which go above. */
  private watch(): void {
    this.stream.on("resize", this.redraw);
    process.on("exit", this.erase);
    const write = this.stream.write.bind(this.stream);
    this.put = (text) => write(text);
    const terminals = [process.stdout, process.stderr].filter(({ isTTY }) => isTTY);
    this.endWatch = watchWriters([this.stream, ...terminals], (pass, chunk) => {
      this.put(`\r${eraseBelow}`);
      const result = pass();
      if (String(chunk).endsWith("\n")) this.put(this.line());
      return result;
    });
  }

  private line(): string {
    return `${this.render!(this.columns - 1)}\r`;
  }

  private draw(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.drawnAt = performance.now();
    this.put(`\r${eraseBelow}${this.line()}`);
  }
}
