/** Progress of a command's long job: one bar with the time left on a terminal, plain lines elsewhere. */
import { Presets, SingleBar } from "cli-progress";
import { formatDuration } from "../training/duration.ts";

export interface ProgressOptions {
  /** Default: stderr. */
  stream?: NodeJS.WriteStream;
  /** Where there is no terminal: a line when a job begins, a line for every tenth of it, or none. Default: tenths. */
  lines?: "beginnings" | "tenths" | "none";
  /** Milliseconds. */
  now?: () => number;
}

/** Close it at the end, whatever the end. */
export class Progress {
  private readonly stream: NodeJS.WriteStream;
  private readonly lines: ProgressOptions["lines"];
  private readonly now: () => number;
  private readonly bar: SingleBar | undefined;
  private job: string | undefined;
  private start = 0;
  /**
   * The first report and when it came: the speed is counted from there, because before it documents were read and a cache
   * may have answered, or an earlier process did this part.
   */
  private first = { done: 0, seconds: 0 };
  private tenths = 0;

  constructor({ stream = process.stderr, lines = "tenths", now = () => performance.now() }: ProgressOptions = {}) {
    this.stream = stream;
    this.lines = lines;
    this.now = now;
    this.start = now();
    if (!stream.isTTY) return;
    const format = "{job} {bar} {percentage}%{details}{left}";
    this.bar = new SingleBar(
      { format, stream, barsize: 24, hideCursor: true, clearOnComplete: true, gracefulExit: false },
      Presets.shades_classic,
    );
  }

  /**
   * @param job what is counted, or being done; another one begins anew
   * @param details stand behind the bar
   */
  update(job: string, done: number, total: number, details: readonly string[] = []): void {
    const isNew = job !== this.job;
    if (isNew) this.begin(job, done);
    const left = this.secondsLeft(done, total);
    const time = left === undefined || done >= total ? "" : `ETA ${formatDuration(left)}`;
    if (this.bar) {
      const payload = { job, details: details.map((text) => `  ${text}`).join(""), left: time && `  ${time}` };
      if (isNew) this.bar.start(total, done, payload);
      else this.bar.update(done, payload);
    } else if (this.lines === "beginnings") {
      if (isNew) this.print(job);
    } else if (this.lines === "tenths") {
      this.printTenth(job, done, total, time);
    }
  }

  /** At the speed since the first report of the job; undefined before anything is done. */
  secondsLeft(done: number, total: number): number | undefined {
    const made = done - this.first.done;
    return made > 0 ? ((this.seconds() - this.first.seconds) * (total - done)) / made : undefined;
  }

  /** A line of its own, above the bar if there is one. */
  print(line: string): void {
    // The bar draws itself again on the next line.
    this.stream.write(`${this.bar?.isActive ? "\r\x1b[K" : ""}${line}\n`);
  }

  close(): void {
    this.bar?.stop();
    this.job = undefined;
  }

  private seconds(): number {
    return (this.now() - this.start) / 1000;
  }

  private begin(job: string, done: number): void {
    if (this.job !== undefined) this.close();
    this.job = job;
    this.tenths = 0;
    this.first = { done, seconds: this.seconds() };
  }

  private printTenth(job: string, done: number, total: number, left: string): void {
    const tenths = Math.floor((10 * done) / total);
    if (tenths === this.tenths) return;
    this.tenths = tenths;
    this.print(`${done} of ${total} ${job}, ${this.seconds().toFixed(1)} s${left && `, ${left}`}`);
  }
}
