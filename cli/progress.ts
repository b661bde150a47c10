/** Progress of a long job on stderr: a bar on a terminal, a line for every tenth elsewhere; both with the time left. */
import { Presets, SingleBar } from "cli-progress";

function duration(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export class RequestProgress {
  private readonly stream: NodeJS.WriteStream;
  private readonly bar: SingleBar | undefined;
  private readonly unit: string;
  private readonly now: () => number;
  private readonly start: number;
  /**
   * The first report and when it came: the speed is counted from there, because before it documents were read and a cache
   * may have answered.
   */
  private first: { done: number; seconds: number } | undefined;
  private tenths = 0;

  /**
   * @param unit what is counted
   * @param now milliseconds
   */
  constructor(
    stream: NodeJS.WriteStream = process.stderr,
    unit = "requests",
    now: () => number = () => performance.now(),
  ) {
    this.stream = stream;
    this.unit = unit;
    this.now = now;
    this.start = now();
    if (stream.isTTY) {
      const format = `${unit} {bar} {value}/{total} | {duration_formatted} | {left}`;
      this.bar = new SingleBar({ format, stream, hideCursor: true, clearOnComplete: true }, Presets.shades_classic);
    }
  }

  update(done: number, total: number): void {
    const seconds = (this.now() - this.start) / 1000;
    this.first ??= { done, seconds };
    const answered = done - this.first.done;
    const left = answered > 0 ? `${duration(((seconds - this.first.seconds) * (total - done)) / answered)} left` : "";
    if (this.bar) {
      if (!this.bar.isActive) this.bar.start(total, done, { left });
      else this.bar.update(done, { left });
      return;
    }
    const tenths = Math.floor((10 * done) / total);
    if (tenths === this.tenths) return;
    this.tenths = tenths;
    const rest = done < total && left !== "" ? `, ${left}` : "";
    this.stream.write(`${done} of ${total} ${this.unit}, ${seconds.toFixed(1)} s${rest}\n`);
  }

  close(): void {
    this.bar?.stop();
  }
}
