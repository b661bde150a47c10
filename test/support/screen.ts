/** A terminal without a window: what a person would see of the bytes that were written. */
import xterm from "@xterm/headless";

export class Screen {
  readonly stream: NodeJS.WriteStream;
  readonly #terminal: InstanceType<typeof xterm.Terminal>;
  readonly #listeners = new Set<() => void>();
  /** Everything that was written. */
  written = "";

  constructor(columns: number, rows = 30) {
    this.#terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, convertEol: true });
    const write = (text: string) => {
      this.written += text;
      this.#terminal.write(text);
      return true;
    };
    const listeners = this.#listeners;
    const terminal = this.#terminal;
    this.stream = {
      isTTY: true,
      get columns() {
        return terminal.cols;
      },
      write,
      on: (_event: string, listener: () => void) => listeners.add(listener),
      off: (_event: string, listener: () => void) => listeners.delete(listener),
    } as unknown as NodeJS.WriteStream;
  }

  /** What the terminal itself shows of the keys that are pressed. */
  echo(text: string): void {
    this.#terminal.write(text);
  }

  async resize(columns: number): Promise<void> {
    // What was written before was written at the old size.
    await new Promise<void>((done) => this.#terminal.write("", done));
    this.#terminal.resize(columns, this.#terminal.rows);
    for (const listener of this.#listeners) listener();
  }

  /** Rows from the first to the last one that has something; rows that are the rest of the one before are marked `+`. */
  async rows(): Promise<string[]> {
    await new Promise<void>((done) => this.#terminal.write("", done));
    const { active } = this.#terminal.buffer;
    const rows = Array.from({ length: active.length }, (_, i) => {
      const line = active.getLine(i)!;
      return `${line.isWrapped ? "+" : ""}${line.translateToString(true)}`;
    });
    return rows.slice(0, rows.findLastIndex((row) => row !== "") + 1);
  }

  /** Row and column of the cursor, from 0. */
  async cursor(): Promise<[number, number]> {
    await new Promise<void>((done) => this.#terminal.write("", done));
    const { active } = this.#terminal.buffer;
    return [active.baseY + active.cursorY, active.cursorX];
  }
}

/** A stream that is no terminal, and keeps what is written. */
export function plainStream() {
  const written: string[] = [];
  const stream = { isTTY: false, write: (text: string) => written.push(text) > 0 };
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => written.join("") };
}
