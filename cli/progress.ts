/** Progress of a command's long job: one line with a bar and the time left on a terminal, plain lines elsewhere. */
import { formatDuration } from "../training/duration.ts";
import { type Field, fitFields, gap, wrapFields } from "./terminal/fit_fields.ts";
import { redraws, StatusLine } from "./terminal/status_line.ts";

export interface ProgressOptions {
  /** Default: stderr. */
  stream?: NodeJS.WriteStream;
  /** Where there is no terminal: a line when a job begins, a line for every tenth of it, or none. Default: tenths. */
  lines?: "beginnings" | "tenths" | "none";
  /** Milliseconds. */
  now?: () => number;
  /** Default: the process's; see {@link redraws}. */
  env?: NodeJS.ProcessEnv;
}

const bar = { least: 8, most: 24 };
/** Ranks of what is said beside the details: the bar goes first, then the job's name and the share. */
const ranks = { timeLeft: 2.5, share: 100, job: 101 };

/** Close it at the end, whatever the end. */
export class Progress {
  private readonly stream: NodeJS.WriteStream;
  private readonly lines: ProgressOptions["lines"];
  private readonly now: () => number;
  private readonly status: StatusLine | undefined;
  private job: string | undefined;
  private start = 0;
  /**
   * The first report and when it came: the speed is counted from there, because before it documents were read and a cache
   * may have answered, or an earlier process did this part.
   */
  private first = { done: 0, seconds: 0 };
  private tenths = 0;

  constructor({
    stream = process.stderr,
    lines = "tenths",
    now = () => performance.now(),
    env = process.env,
  }: ProgressOptions = {}) {
    this.stream = stream;
    this.lines = lines;
    this.now = now;
    this.start = now();
    if (redraws(stream, env)) this.status = new StatusLine(stream);
  }

  /** One line is written again and again; otherwise there are lines only. */
  get redraws(): boolean {
    return this.status !== undefined;
  }

  /**
   * @param job what is counted, or being done; another one begins anew
   * @param details stand behind the bar; where there is no room, the last ones are left out first
   */
  update(job: string, done: number, total: number, details: readonly (string | Field)[] = []): void {
    const isNew = job !== this.job;
    if (isNew) this.begin(job, done);
    const left = this.secondsLeft(done, total);
    const time = left === undefined || done >= total ? "" : `ETA ${formatDuration(left)}`;
    if (this.status) {
      const fields = details.map((detail, i) => (typeof detail === "string" ? { text: detail, rank: i + 1 } : detail));
      this.status.set((columns) => statusText({ job, share: total > 0 ? done / total : 1, fields, time }, columns));
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

  /** A line of its own, above the one that is written again. */
  print(line: string): void {
    if (this.status) this.status.print(line);
    else this.stream.write(`${line}\n`);
  }

  /** Fields of one line; a terminal that is too narrow gets them in several. */
  printFields(texts: readonly string[]): void {
    if (this.status) for (const line of wrapFields(texts, this.status.columns)) this.status.print(line);
    else this.print(texts.join(gap));
  }

  close(): void {
    this.status?.clear();
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

interface Status {
  job: string;
  /** From 0 to 1. */
  share: number;
  fields: readonly Field[];
  time: string;
}

/** `training ████░░░░ 12%  step 12/100  loss 2.345  ETA 1:05`, or as much of it as the columns hold. */
function statusText({ job, share, fields, time }: Status, columns: number): string {
  const head = { text: job, rank: ranks.job };
  const percent = { text: `${Math.floor(100 * share)}%`, rank: ranks.share };
  const all = [head, percent, ...fields, { text: time, rank: ranks.timeLeft }];
  const { fitting, left } = fitFields(all, columns);
  const size = Math.min(bar.most, left - gap.length);
  const drawn = fitting.includes(percent) && size >= bar.least ? [barText(share, size)] : [];
  const isNamed = fitting.includes(head);
  const texts = fitting.map(({ text }) => text);
  return [...texts.slice(0, isNamed ? 1 : 0), ...drawn, ...texts.slice(isNamed ? 1 : 0)].join(gap);
}

function barText(share: number, size: number): string {
  const full = Math.round(Math.min(1, share) * size);
  return "█".repeat(full) + "░".repeat(size - full);
}
