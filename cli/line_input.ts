/**
 * Lines from the user: edited at a terminal, read as they are from a pipe. A terminal is in line-editing mode only while
 * a line is asked for; in between, Ctrl-C is a signal as in any program, and what is typed waits for the next line.
 */
import readline from "node:readline";

/** What the user did instead of entering a line. */
export type NoLine = "interrupt" | "end";

export interface LineInput {
  /** True if a person types: prompts are shown. */
  readonly interactive: boolean;
  /**
   * The next line, or what came instead of it: Ctrl-C on an empty line, the end of the input (Ctrl-D).
   * @throws the signal's reason when it aborts.
   */
  read(prompt: string, signal: AbortSignal): Promise<string | { none: NoLine }>;
  close(): void;
}

/** Input from stdin. Prompts go to stdout, or to stderr when stdout is not a terminal. */
export function openLineInput(): LineInput {
  return process.stdin.isTTY ? new TerminalInput() : new PipedInput();
}

class TerminalInput implements LineInput {
  readonly interactive = true;
  readonly #output = process.stdout.isTTY ? process.stdout : process.stderr;
  #history: string[] = [];
  /** Lines that came together with one that was asked for (pasted ones). */
  #waiting: string[] = [];

  async read(prompt: string, signal: AbortSignal): Promise<string | { none: NoLine }> {
    signal.throwIfAborted();
    const next = this.#waiting.shift();
    if (next !== undefined) {
      this.#output.write(`${prompt}${next}\n`);
      return next;
    }
    const reader = readline.createInterface({
      input: process.stdin,
      output: this.#output,
      terminal: true,
      history: this.#history,
      historySize: 1000,
      prompt,
    });
    try {
      return await new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        reader.on("history", (history) => {
          this.#history = history;
        });
        reader.once("line", (line) => {
          reader.on("line", (more) => this.#waiting.push(more));
          // What was pasted together arrives in the same turn.
          setImmediate(() => resolve(line));
        });
        reader.on("SIGINT", () => {
          const wasEmpty = reader.line === "";
          this.#output.write("^C\n");
          if (wasEmpty) {
            resolve({ none: "interrupt" });
          } else {
            reader.write(null, { ctrl: true, name: "e" });
            reader.write(null, { ctrl: true, name: "u" });
            reader.prompt();
          }
        });
        reader.on("close", () => resolve({ none: "end" }));
        reader.prompt();
      });
    } finally {
      reader.close();
    }
  }

  close(): void {}
}

class PipedInput implements LineInput {
  readonly interactive = false;
  readonly #reader = readline.createInterface({ input: process.stdin, terminal: false });
  readonly #lines = this.#reader[Symbol.asyncIterator]();

  async read(_prompt: string, signal: AbortSignal): Promise<string | { none: NoLine }> {
    signal.throwIfAborted();
    let onAbort = () => {};
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(signal.reason);
    });
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      const { value, done } = await Promise.race([this.#lines.next(), aborted]);
      return done ? { none: "end" } : value;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  close(): void {
    this.#reader.close();
  }
}
