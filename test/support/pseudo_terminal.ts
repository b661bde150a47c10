/** A command at a pseudo-terminal, for what only happens there: prompts, line editing, Ctrl-C. Needs python3. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import path from "node:path";

const script = path.join(import.meta.dirname, "pseudo_terminal.py");

/** False without python3 or on Windows. */
export const hasPseudoTerminal = spawnSync("python3", ["-c", "import pty, os; os.waitstatus_to_exitcode"]).status === 0;

export const ctrlC = "\x03";
export const ctrlD = "\x04";

export interface PseudoTerminalOptions {
  /** Default 100. */
  columns?: number;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
}

export class PseudoTerminal {
  readonly #child: ChildProcessWithoutNullStreams;
  /** Resolves with the exit code of the command (-2: ended by SIGINT). */
  readonly exited: Promise<number | null>;
  #shown = "";
  #seen = 0;

  constructor(command: string, args: readonly string[], { columns = 100, ...options }: PseudoTerminalOptions = {}) {
    this.#child = spawn("python3", [script, String(columns), command, ...args], options);
    this.#child.stdout.on("data", (data) => {
      this.#shown += data;
    });
    this.#child.stderr.pipe(process.stderr);
    this.exited = new Promise((resolve) => this.#child.on("exit", resolve));
  }

  /** Everything so far. */
  get shown(): string {
    return this.#shown;
  }

  type(text: string): void {
    this.#child.stdin.write(text);
  }

  /** Waits until the terminal shows a match after those before; returns what it has shown up to there. */
  async waitFor(pattern: RegExp, seconds = 60): Promise<string> {
    const end = Date.now() + seconds * 1000;
    for (;;) {
      const match = pattern.exec(this.#shown.slice(this.#seen));
      if (match) {
        const until = this.#seen + match.index + match[0].length;
        const text = this.#shown.slice(this.#seen, until);
        this.#seen = until;
        return text;
      }
      if (Date.now() > end) throw new Error(`not shown: ${pattern}; shown: ${JSON.stringify(this.#shown)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}
