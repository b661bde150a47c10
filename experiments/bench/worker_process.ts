/** A contender of a benchmark: a process that answers each command on its stdin with a line of JSON. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** Characters of what a process says on stderr that its error shows. */
const shownCharacters = 2000;

export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #name: string;
  #complaints = "";

  constructor(name: string, command: string, commandArguments: readonly string[], environment = {}) {
    this.#name = name;
    this.#child = spawn(command, commandArguments, { env: { ...process.env, ...environment } });
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#complaints = (this.#complaints + text).slice(-shownCharacters);
    });
    this.#answers = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  /** The next line; throws if the process has ended. */
  async answer<Answer>(): Promise<Answer> {
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(`${this.#name} ended: ${this.#complaints.trim()}`);
    return JSON.parse(value) as Answer;
  }

  async ask<Answer>(command: string): Promise<Answer> {
    this.#child.stdin!.write(`${command}\n`);
    return this.answer<Answer>();
  }

  stop(): void {
    this.#child.kill();
  }
}
